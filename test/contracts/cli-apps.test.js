// The command `fastify-chirp` and the apps that it starts: found, checked, and ended.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { loadApp } from '../../dist/contracts/command/load.js'
import { until } from '../helpers/app.js'
import { APP, BEGIN, bin, broken, BUILD, each, home, homes, make, REGISTER, run } from '../helpers/command.js'

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
    ['export const app = Promise.resolve(5)', undefined, 'its export "app" is neither a Fastify app nor a function that makes one'],
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
    ['process.exit(3)', [], /^app\.js ended its process with exit code 3 before it could be checked\. Its output is above\n$/],
    ["process.kill(process.pid, 'SIGKILL')", [], /^app\.js ended its process before it could be checked\. Its output is above\n$/],
    ['setInterval(() => {}, 1000)', ['--timeout', '1.5'], /^app\.js did not make an app within 1\.5 s\. Export the app, or a function that builds it, or give it more time with --timeout SECONDS\n$/],
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

t.test('options of node reach the app', async t => {
  const folder = home(t, { 'app.js': `if (!globalThis.isPrepared) throw new Error('not prepared')\n${APP}`, 'prepare.mjs': 'globalThis.isPrepared = true' })
  t.match(await run(folder, ['check', 'app.js'], { before: ['--import', './prepare.mjs'] }), { code: 0 })
})

t.test('a command that is killed takes the app with it', async t => {
  const folder = home(t, { 'app.js': "import { writeFileSync } from 'node:fs'\nwriteFileSync('pid', String(process.pid))\nsetInterval(() => {}, 1000)\n" })
  const child = spawn(process.execPath, [bin, 'check', 'app.js'], { cwd: folder, stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  let pid
  await until(() => (pid = readPid(join(folder, 'pid'))) > 0, 'the app runs')
  child.kill('SIGKILL')
  await until(() => !isAlive(pid), 'the app is gone')
  t.pass('gone')
})

function readPid (file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    // Not there yet.
    return 0
  }
}

function isAlive (pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
