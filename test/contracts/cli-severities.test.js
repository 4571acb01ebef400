// The command `fastify-chirp`: what of the findings counts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BROKEN, broken, each, EXTENT, home, run } from '../helpers/command.js'

t.test('severities can be changed, and warnings can fail', async t => {
  const folder = home(t, broken)
  const cases = [
    ['warning', [], { code: 0, stdout: /\n1 warning\n1 template, .*\n$/ }],
    ['warning', ['--warnings-as-errors'], { code: 1, stdout: /\n1 warning\n1 template, .*\n$/ }],
    ['info', ['--warnings-as-errors'], { code: 0, stdout: /\n1 info\n1 template, .*\n$/ }],
    ['off', [], { code: 0, stdout: `No findings\n${EXTENT}`, stderr: '' }],
    ['fatal', [], { code: 2, stdout: '', stderr: /must be 'error', 'warning', 'info' or 'off', not the string "fatal"\n$/ }]
  ]
  await each(cases, async ([level, args, expected]) => {
    t.match(await run(folder, ['check', 'app.js', '--severity', `template-error=${level}`, ...args]), expected, level)
  })
})

t.test('a baseline hides what is known, and only that', async t => {
  const folder = home(t, broken)
  const check = (...args) => run(folder, ['check', 'app.js', '--severity', 'dead-template=off', ...args])
  t.match(await check('--baseline', 'known.json'), { code: 2, stderr: /^The baseline known\.json cannot be read: ENOENT.*\. Write it with --write-baseline\n$/ })
  t.same(await check('--baseline', 'known.json', '--write-baseline'), { code: 0, stdout: '1 error written to known.json\n', stderr: '' })
  t.same(await check('--baseline', 'known.json'), { code: 0, stdout: `No findings\n${EXTENT}1 of known.json not shown\n`, stderr: '' })

  writeFileSync(join(folder, 'views/page.html'), `\n\n\n${BROKEN}`)
  t.match(await check('--baseline', 'known.json'), { code: 0 }, 'its lines moved')

  writeFileSync(join(folder, 'views/other.html'), BROKEN)
  t.match(await check('--baseline', 'known.json'), { code: 1, stdout: /^other\.html [^]*\n1 error\n2 templates, 0 routes: 0 read, 0 not\n1 of known\.json not shown\n$/ })

  writeFileSync(join(folder, 'views/page.html'), '')
  const json = JSON.parse((await check('--baseline', 'known.json', '--json')).stdout)
  t.match(json, { ok: false, issues: [{ template: 'other.html' }], baseline: { hidden: 0, gone: [{ category: 'template-error', template: 'page.html', count: 1 }] } })
  const { stdout } = await check('--baseline', 'known.json')
  t.match(stdout, /0 of known\.json not shown\n1 of known\.json not found any more; --write-baseline drops them:\n {2}page\.html {2}template-error {2}.+\n$/)

  writeFileSync(join(folder, 'known.json'), '{')
  t.match(await check('--baseline', 'known.json'), { code: 2, stdout: '', stderr: /^The baseline known\.json cannot be read: .+\. Write it with --write-baseline\n$/ })
  t.match(await check('--baseline', 'gone/known.json', '--write-baseline'), { code: 2, stderr: /^The baseline gone\/known\.json cannot be written: ENOENT/ })
})
