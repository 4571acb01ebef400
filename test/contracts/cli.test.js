// The command `fastify-chirp`: its arguments and its reports.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { BEGIN, bin, broken, each, EXTENT, home, make, run } from '../helpers/command.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url)))

t.test('an app without findings: exit 0', async t => {
  t.same(await run(home(t), ['check', 'app.js']), { code: 0, stdout: `No findings\n${EXTENT}`, stderr: '' })
})

t.test('findings as text, with the lines that they are about: exit 1', async t => {
  const { code, stdout, stderr } = await run(home(t, broken), ['check', './app.js'])
  const [title, head, message, ...rest] = stdout.split('\n')
  t.equal(title, 'page.html (views/page.html)')
  t.match(head, /^ {2}error {2}template-error {2}2:\d+$/)
  t.match(message, /^ {4}\S/)
  t.match(rest.join('\n'), /^ {6}1 \| <p>\n {4}> 2 \| {3}\{\{ name \| \}\}\n {8}\| {3,}\^\n {6}3 \| <\/p>\n\n1 error\n1 template, 0 routes: 0 read, 0 not\n$/)
  t.equal(code, 1)
  t.equal(stderr, '')
})

t.test('the report as JSON is all that is on stdout, whatever the app prints', async t => {
  const noisy = `${BEGIN}import { writeSync } from 'node:fs'\nconsole.log('hello')\n${make('{ logger: true }')}writeSync(1, 'raw')\napp.log.info('ready')\nexport default app\n`
  const { code, stdout, stderr } = await run(home(t, { ...broken, 'app.js': noisy }), ['check', 'app.js', '--json'])
  const report = JSON.parse(stdout)
  t.equal(code, 1)
  t.same(report.counts, { error: 1, warning: 0, info: 0, templates: 1, routes: 0, routesRead: 0, routesUnread: 0 })
  t.equal(report.ok, false)
  t.match(report.issues, [{ severity: 'error', category: 'template-error', template: 'page.html', file: 'views/page.html', line: 2 }])
  t.match(stderr, /hello\n[^]*raw[^]*"msg":"ready"/)
  t.notMatch(stderr, /template-error/, 'the check at start is not done too')
})

t.test('the report as annotations', async t => {
  const { code, stdout } = await run(home(t, broken), ['check', 'app.js', '--github'])
  t.equal(code, 1)
  t.match(stdout, /^::error file=views\/page\.html,line=2,col=\d+,title=fastify-chirp%3A template-error::.+\n$/)
  t.same(await run(home(t), ['check', 'app.js', '--github']), { code: 0, stdout: '', stderr: '' })
})

t.test('a terminal gets colours, unless NO_COLOR is set', async t => {
  const folder = home(t, { ...broken, 'terminal.mjs': 'process.stdout.isTTY = true' })
  const look = env => run(folder, ['check', 'app.js'], { before: ['--import', './terminal.mjs'], env })
  t.match((await look({ NO_COLOR: '' })).stdout.replaceAll('\u001b', 'ESC'), /^ESC\[1mpage\.html .*ESC\[22m\n {2}ESC\[31merrorESC\[39m {2}template-error/)
  t.match((await look({ NO_COLOR: '1' })).stdout, /^page\.html .*\n {2}error {2}template-error/)
})

t.test('a command line that is wrong: exit 2, and what there is', async t => {
  const folder = home(t)
  const cases = [
    [[], 'There is no command. Say: fastify-chirp check ./app.js'],
    [['chekc'], 'There is no command "chekc". Say: fastify-chirp check ./app.js'],
    [['check'], 'There is no file. Say which module makes the app: fastify-chirp check ./app.js'],
    [['check', 'a', 'b', 'c'], 'Only one file can be checked at a time, and there is also b, c'],
    [['check', 'app.js', '--json', '--github'], 'The report is either --json or --github. Leave one of them out'],
    [['check', 'app.js', '--write-baseline'], '--write-baseline needs a file: add --baseline FILE'],
    [['check', 'app.js', '--severity', 'orphan'], '--severity takes CATEGORY=LEVEL, such as orphan=off, not "orphan"'],
    [['check', 'app.js', '--timeout', 'long'], '--timeout takes seconds, above 0 and up to 3600, not "long"']
  ]
  await each(cases, async ([args, message]) => {
    t.same(await run(folder, args), { code: 2, stdout: '', stderr: `${message}\n\nfastify-chirp --help shows the usage.\n` })
  })
  t.match(await run(folder, ['check', 'app.js', '--jsno']), { code: 2, stdout: '', stderr: /^Unknown option '--jsno'[^]*--help shows the usage\.\n$/ })
  t.same(await run(folder, ['check', 'gone.js']), { code: 2, stdout: '', stderr: 'There is no file gone.js. Say which module makes the app: fastify-chirp check ./app.js\n' })
})

t.test('--help and --version', async t => {
  const folder = home(t)
  t.match(await run(folder, ['--help']), { code: 0, stdout: /^Usage: fastify-chirp check FILE \[options\]\n/, stderr: '' })
  t.same(await run(folder, ['-v']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('the package names the command', async t => {
  const { bin: { 'fastify-chirp': path } } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url)))
  t.equal(path, relative(fileURLToPath(new URL('../..', import.meta.url)), bin))
  t.match(readFileSync(bin, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})
