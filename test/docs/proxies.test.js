// docs/operate/proxies.md shows the files that test/proxies runs.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FILES } from '../helpers/edge.js'
import { read, root } from '../helpers/readme.js'

const folder = 'docs/examples/proxies'
const text = read('docs/operate/proxies.md')

t.test('all files are shown, each from its first line to its last', async t => {
  t.same(readdirSync(join(root, folder)).sort(), [...FILES].sort())
  const shown = [...text.matchAll(/<!-- from: (\S+) -->\n```\w+\n([\s\S]*?)```/g)].map(([, path, code]) => [path, code])
  t.same(shown.map(([path]) => path), FILES.map(file => `${folder}/${file}`))
  for (const [path, code] of shown) t.equal(code, read(path), path)
})

t.test('what a test puts in the place of something is in the files', async t => {
  const all = FILES.map(file => read(`${folder}/${file}`)).join('')
  for (const part of ['8080', '8443', '3000', '3001', '/etc/ssl/app', '60']) t.ok(all.includes(part), part)
})
