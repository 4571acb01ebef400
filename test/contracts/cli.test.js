// The command `fastify-chirp`, as it is run in a shell.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loadApp } from '../../dist/contracts/command/load.js'

const bin = fileURLToPath(new URL('../../dist/contracts/cli.js', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url)))

const BROKEN = '<p>\n  {{ name | }}\n</p>\n'
// With a handler that names the template, so that it is in use.
const BEGIN = "import Fastify from 'fastify'\nimport chirp from 'fastify-chirp'\nconst render = (request, reply) => reply.page('page.html')\n"
const REGISTER = "await app.register(chirp, { templates: 'views' })"
const make = (more = '') => `const app = Fastify(${more})\n${REGISTER}\n`
const BUILD = '{ const app = Fastify(); app.register(chirp, {}); return app }'
const APP = `${BEGIN}${make()}export default app\n`

/** A folder with an app. */
function home (t, files = {}) {
  return t.testdir({ 'app.js': APP, views: { 'page.html': '<p>{{ name }}</p>\n' }, ...files })
}

/** Folders of their own for many apps, `{ title: files }`. */
function homes (t, apps) {
  const common = { 'app.js': APP, views: { 'page.html': '<p>{{ name }}</p>\n' } }
  const folder = t.testdir(Object.fromEntries(Object.values(apps).map((files, index) => [`app-${index}`, structuredClone({ ...common, ...files })])))
  return Object.keys(apps).map((title, index) => [title, join(folder, `app-${index}`)])
}

/** Calls `work` for all items, some at the same time. */
async function each (items, work) {
  const queue = [...items]
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}

/** Runs the command in a folder. */
async function run (cwd, args, { env = {}, before = [] } = {}) {
  const child = spawn(process.execPath, [...before, bin, ...args], { cwd, env: { ...process.env, NODE_ENV: 'test', ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => { output[name] += text })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

// What the summary says of an app with one template and no route.
const EXTENT = '1 template, 0 routes: 0 read, 0 not\n'

const broken = { views: { 'page.html': BROKEN } }

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

t.test('every way to make an app', async t => {
  const files = {
    'promise.js': `${BEGIN}export const app = (async () => ${BUILD})()\n`,
    'builder.js': `${BEGIN}export function build () ${BUILD}\n`,
    'options.js': `${BEGIN}export async function buildApp (options) { if (options.x) throw options; ${BUILD.slice(1)}\n`,
    'destructured.js': `${BEGIN}export const createApp = ({ level = 'info' }) => ${BUILD}\n`,
    'bound.js': `${BEGIN}function make () ${BUILD}\nexport default make.bind(null)\n`,
    'method.js': `${BEGIN}export default { build () ${BUILD} }.build\n`,
    'plugin.js': `${BEGIN}export default async function (app, options) { ${REGISTER} }\n`,
    'one-parameter.js': `${BEGIN}export default async fastify => { ${REGISTER.replace('app', 'fastify')} }\n`,
    'wrapped.js': `${BEGIN}import fp from 'fastify-plugin'\nexport default fp(async scope => { ${REGISTER.replace('app', 'scope')} })\n`,
    'common.cjs': "const Fastify = require('fastify')\nexports.buildApp = async () => Fastify()\n",
    'named.js': `${APP}export const other = app\n`
  }
  // Relative to where the test runs, there are no views.
  const folder = t.testdir(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll(", { templates: 'views' }", '')])))
  for (const file of readdirSync(folder)) {
    const app = await loadApp(join(folder, file), file === 'named.js' ? 'other' : undefined)
    await app.ready()
    t.equal(app.checkContracts === undefined, file === 'common.cjs' || /plugin|parameter/.test(file), `${file} makes an app, and a plugin a part of one`)
    await app.close()
  }
})

t.test('an export that is no app says what to do', async t => {
  const cases = [
    ['export default () => 5', undefined, 'its export "default" did not return a Fastify app. Return it, or name the right export with --export'],
    ['export const app = Promise.resolve(5)', undefined, 'its export "app" is no Fastify app, and no function that makes one'],
    ['export const x = 1, y = 2', 'z', 'it has no export "z", but x, y'],
    ['', 'z', 'it has no export "z", but none at all']
  ]
  const folder = t.testdir(Object.fromEntries(cases.map(([text], index) => [`${index}.js`, text])))
  for (const [index, [, name, message]] of cases.entries()) await t.rejects(loadApp(join(folder, `${index}.js`), name), { message })
  t.equal(await loadApp(join(t.testdir({ 'x.js': 'export const x = 1' }), 'x.js')), undefined, 'it may start one by itself')
})

t.test('an app is found, listens anywhere, and is ended', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const taken = `await app.listen({ port: ${server.address().port}, host: '127.0.0.1' })`
  const ways = {
    'one that listens on a port that is taken, and exports nothing': `${BEGIN}${make()}${taken}\n`,
    'one that listens later': `${BEGIN}async function main () { ${make()} await new Promise(resolve => setTimeout(resolve, 50))\n ${taken} }\nmain()\n`,
    'one with the plugin in a part of it': `${BEGIN}const app = Fastify()\napp.register(async app => { ${REGISTER} })\nexport default app\n`,
    'one that cannot be closed': `${BEGIN}${make()}app.addHook('onClose', () => new Promise(() => {}))\nsetInterval(() => {}, 1000)\nexport default app\n`,
    'one that fails to close, and reads its arguments': `${BEGIN}import { parseArgs } from 'node:util'\nparseArgs()\n${make()}app.addHook('onClose', async () => { throw new Error('no') })\nexport default app\n`
  }
  const apps = Object.fromEntries(Object.entries(ways).map(([title, text]) => [title, { ...broken, 'app.js': text }]))
  await each(homes(t, apps), async ([title, folder]) => {
    const { code, stdout, stderr } = await run(folder, ['check', 'app.js'])
    t.match(stdout, /^page\.html[^]*\n1 error\n1 template, 0 routes: 0 read, 0 not\n$/, title)
    t.same({ code, stderr }, { code: 1, stderr: '' }, title)
  })
})

t.test('an app that cannot be checked: exit 2, and why', async t => {
  const cases = [
    ["throw new Error('no database')", [], /^app\.js cannot be checked: Error: no database\n {4}at /],
    ["import './gone.js'", [], /^app\.js cannot be checked: Error.* \[?ERR_MODULE_NOT_FOUND|Cannot find module/],
    [`${BEGIN}${make()}app.register(async () => { throw new Error('a plugin') })\nexport default app`, [], /^app\.js cannot be checked: Error: a plugin/],
    [`${BEGIN}export default Fastify()`, [], /^app\.js cannot be checked: the app does not register fastify-chirp, so there is nothing to check\. Register it, or name another export with --export\n$/],
    ['export const x = 1', ['--export', 'z'], /^app\.js cannot be checked: it has no export "z", but x\n$/],
    ["throw 'text'", [], /^app\.js cannot be checked: text\n$/],
    ['export const x = 1', [], /^app\.js exports no Fastify app, and started none\. Export the app, or a function that builds it, or name the export with --export\n$/],
    ['await new Promise(() => {})', [], /^app\.js exports no Fastify app, and started none\./m],
    ['process.exit(3)', [], /^app\.js ended its process with exit code 3 before it could be checked\. What it printed is above\n$/],
    ["process.kill(process.pid, 'SIGKILL')", [], /^app\.js ended its process before it could be checked\. What it printed is above\n$/],
    ['setInterval(() => {}, 1000)', ['--timeout', '1.5'], /^app\.js made no app within 1\.5 s\. Export the app, or a function that builds it, or give it more time with --timeout SECONDS\n$/],
    [`${BEGIN}${make()}${make().replaceAll('app', 'other')}await app.ready()\nawait other.ready()`, [], /^app\.js cannot be checked: it starts several apps\. Export the one to check, and name it with --export\n$/],
    [APP, ['--source', 'gone'], /^app\.js cannot be checked: fastify-chirp: option "sources" names a file that does not exist: /]
  ]
  const folders = homes(t, Object.fromEntries(cases.map(([text], index) => [index, { 'app.js': text }])))
  await each(folders, async ([index, folder]) => {
    const [text, args, message] = cases[index]
    const { code, stdout, stderr } = await run(folder, ['check', 'app.js', ...args])
    t.match(stderr, message, text)
    t.same({ code, stdout }, { code: 2, stdout: '' }, text)
  })
  const weird = await run(home(t, { 'app.weird': '' }), ['check', 'app.weird'])
  t.match(weird, { code: 2, stderr: /\[ERR_UNKNOWN_FILE_EXTENSION\][^]*\nNode\.js v\S+ does not run this file as it is\. .*NODE_OPTIONS/ })
})

t.test('a command line that is wrong: exit 2, and what there is', async t => {
  const folder = home(t)
  const cases = [
    [[], 'There is no command. Say: fastify-chirp check ./app.js'],
    [['chekc'], 'There is no command "chekc". Say: fastify-chirp check ./app.js'],
    [['check'], 'There is no file. Say which module makes the app: fastify-chirp check ./app.js'],
    [['check', 'a', 'b', 'c'], 'Only one file can be checked at a time, and there is also b, c'],
    [['check', 'app.js', '--json', '--github'], 'The report is either --json or --github. Leave one of them out'],
    [['check', 'app.js', '--write-baseline'], '--write-baseline needs to know where to: add --baseline FILE'],
    [['check', 'app.js', '--severity', 'orphan'], '--severity takes CATEGORY=LEVEL, such as orphan=off, not "orphan"'],
    [['check', 'app.js', '--timeout', 'long'], '--timeout takes seconds, above 0 and up to 3600, not "long"']
  ]
  await each(cases, async ([args, message]) => {
    t.same(await run(folder, args), { code: 2, stdout: '', stderr: `${message}\n\nfastify-chirp --help tells what there is.\n` })
  })
  t.match(await run(folder, ['check', 'app.js', '--jsno']), { code: 2, stdout: '', stderr: /^Unknown option '--jsno'[^]*--help tells what there is\.\n$/ })
  t.same(await run(folder, ['check', 'gone.js']), { code: 2, stdout: '', stderr: 'There is no file gone.js. Say which module makes the app: fastify-chirp check ./app.js\n' })
})

t.test('--help and --version', async t => {
  const folder = home(t)
  t.match(await run(folder, ['--help']), { code: 0, stdout: /^Usage: fastify-chirp check FILE \[options\]\n/, stderr: '' })
  t.same(await run(folder, ['-v']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('options of node reach the app', async t => {
  const folder = home(t, { 'app.js': `if (!globalThis.isPrepared) throw new Error('not prepared')\n${APP}`, 'prepare.mjs': 'globalThis.isPrepared = true' })
  t.match(await run(folder, ['check', 'app.js'], { before: ['--import', './prepare.mjs'] }), { code: 0 })
})

t.test('a command that is killed takes the app with it', async t => {
  const folder = home(t, { 'app.js': "import { writeFileSync } from 'node:fs'\nwriteFileSync('pid', String(process.pid))\nsetInterval(() => {}, 1000)\n" })
  const child = spawn(process.execPath, [bin, 'check', 'app.js'], { cwd: folder, stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const pid = await waitFor(() => Number(readFileSync(join(folder, 'pid'), 'utf8')) || undefined)
  child.kill('SIGKILL')
  t.equal(await waitFor(() => isAlive(pid) ? undefined : 'gone'), 'gone')
})

t.test('the package names the command', async t => {
  const { bin: { 'fastify-chirp': path } } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url)))
  t.equal(path, relative(fileURLToPath(new URL('../..', import.meta.url)), bin))
  t.match(readFileSync(bin, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

function isAlive (pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function waitFor (look) {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      const found = look()
      if (found !== undefined) return found
    } catch {
      // Not there yet.
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
