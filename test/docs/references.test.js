// Tables, error codes, links and commands of the docs are compared with what there is.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'acorn'
import t from 'tap'
import * as errors from '../../dist/errors.js'
import { resolveOptions } from '../../dist/options.js'

import { anchors, documents, read, root, withoutCode } from '../helpers/readme.js'

t.test('the table of options has all of them, with their defaults', async t => {
  const rows = new Map([...read('docs/reference/options.md').matchAll(/^\| `(\w+)` \| .+? \| (.+?) \| (.+?) \|$/gm)].map(([, name, byDefault, off]) => [name, { byDefault, off }]))
  const types = read('dist/types.d.ts') + read('dist/stream/types.d.ts')
  const names = body => [...body.matchAll(/^ {4}(\w+)\?:/gm)].map(([, name]) => name)
  const stream = names(/interface StreamOptions \{([\s\S]*?)\n\}/.exec(types)[1]).filter(name => name !== 'event' && name !== 'key')
  const plugin = names(/interface ChirpOptions [^{]*\{([\s\S]*?)\n\}/.exec(types)[1])
  t.same([...rows.keys()].sort(), [...stream, ...plugin].sort())

  const settings = resolveOptions({})
  const defaults = { ...settings, ...settings.stream }
  for (const [name, { byDefault, off }] of rows) {
    if (/^`\d+`$/.test(byDefault)) t.equal(Number(byDefault.slice(1, -1)), defaults[name], name)
    else t.notOk(typeof defaults[name] === 'number' && defaults[name] !== 0, `${name} has no other default`)
    if (off === '`false`' || off === '`0`') t.doesNotThrow(() => resolveOptions({ [name]: JSON.parse(off.slice(1, -1)) }), name)
  }
  t.equal(defaults.dialect, 'auto')
})

t.test('every error code is documented, and no other', async t => {
  const headings = [...read('docs/reference/errors.md').matchAll(/^## (\S+)$/gm)].map(([, code]) => code)
  t.same(headings.sort(), Object.keys(errors).sort())
  for (const [name, ChirpError] of Object.entries(errors)) t.equal(new ChirpError('a', 'b', 'c').code, name)
  for (const file of documents()) {
    for (const [code] of read(file).matchAll(/FST_CHIRP_[A-Z_]+[A-Z]/g)) t.ok(code in errors, `${code} in ${file}`)
  }
})

t.test('links lead somewhere', async t => {
  for (const file of documents()) {
    for (const [, target] of withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path, anchor] = target.split('#')
      const there = path === '' ? join(root, file) : resolve(root, dirname(file), path)
      t.ok(existsSync(there), `${target} in ${file}`)
      if (anchor !== undefined) t.ok(anchors(readFileSync(there, 'utf8')).includes(anchor), `${target} in ${file}`)
    }
  }
})

t.test('commands exist', async t => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const file of documents()) {
    for (const [, name] of read(file).matchAll(/npm run ([\w:]+)/g)) t.ok(scripts[name], `npm run ${name} in ${file}`)
  }
})

t.test('all code is code', async t => {
  for (const file of documents()) {
    for (const [, code] of read(file).matchAll(/```js\n([\s\S]*?)```/g)) {
      t.doesNotThrow(() => parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), `${file}: ${code.split('\n', 1)}`)
    }
  }
})
