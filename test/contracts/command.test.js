// The command among other programs: apps that send messages, readers that leave,
// and names that a terminal would obey.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { formatGithub, formatJson, formatText } from 'fastify-chirp/contracts'

const bin = fileURLToPath(new URL('../../dist/contracts/cli.js', import.meta.url))
const APP = `import Fastify from 'fastify'
import chirp from 'fastify-chirp'
const app = Fastify()
await app.register(chirp, { templates: 'views' })
app.get('/', (request, reply) => reply.page('page.html'))
export default app
`

/** Runs the command; `reader` may do something with its standard output. */
async function run (cwd, args, reader = () => {}) {
  const child = spawn(process.execPath, [bin, 'check', 'app.js', ...args], { cwd, env: { ...process.env, NODE_ENV: 'test' } })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => { output[name] += text })
  reader(child)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

const home = (t, app, page = '<p></p>') => t.testdir({ 'app.js': app, views: { 'page.html': page } })

t.test('messages of the app are not taken for the answer', async t => {
  const say = [
    "process.send?.('ready')",
    'process.send?.({ report: { ok: true, issues: [], counts: { error: 0, warning: 0, info: 0 } } })',
    "process.send?.({ problem: 'mine', key: 'mine' })",
    'process.send?.(null)',
    'process.disconnect?.()',
    'process.send = () => { throw new Error("replaced") }'
  ].join('\n')
  const { code, stdout, stderr } = await run(home(t, `${say}\n${APP}`, '<p>{{ name | }}</p>'), [])
  t.match(stdout, /^page\.html[^]*template-error[^]*\n1 error\n1 template, 1 route: 1 read, 0 not\n$/)
  t.same({ code, stderr }, { code: 1, stderr: '' })
})

t.test('a module that makes no app says nothing of our own files', async t => {
  for (const text of ['export const x = 1\n', 'await new Promise(() => {})\n']) {
    const { code, stdout, stderr } = await run(home(t, text), [])
    t.match(stderr, /^app\.js exports no Fastify app, and started none\. Export the app, .*--export\n$/, text)
    t.same({ code, stdout }, { code: 2, stdout: '' }, text)
  }
})

t.test('a reader that leaves early gets no stack trace', async t => {
  const leave = name => child => { child[name].destroy() }
  t.same(await run(home(t, APP, '<p>{{ name | }}</p>'), [], leave('stdout')), { code: 1, stdout: '', stderr: '' })
  t.same(await run(home(t, 'throw new Error("no")'), [], leave('stderr')), { code: 2, stdout: '', stderr: '' })
})

const HOSTILE = 'a\u001b[2J\r\u009b1m\u202eb\u007f\n::error::c%0A\ud83d\ude00'
const REPORT = {
  ok: false,
  issues: [{ severity: 'error', category: 'link', template: HOSTILE, file: `views/${HOSTILE}`, line: 1, column: 2, route: HOSTILE, message: `No ${HOSTILE}` }],
  counts: { error: 1, warning: 0, info: 0, templates: 1, routes: 2, routesRead: 1, routesUnread: 1 }
}
const SHOWN = 'a\\u001b[2J\\u000d\\u009b1m\\u202eb\\u007f'

t.test('what a terminal obeys is shown and not printed', t => {
  const end = '\\u000a::error::c%0A\ud83d\ude00'
  t.equal(formatText(REPORT), `${SHOWN}${end} (views/${SHOWN}${end})\n  error  link  1:2\n    No ${SHOWN}${end}\n\n1 error\n1 template, 2 routes: 1 read, 1 not\n`)
  const shown = `${SHOWN.replace('\\u000d', '%0D')}%0A`
  t.equal(formatGithub(REPORT), `::error file=views/${shown}%3A%3Aerror%3A%3Ac%250A\ud83d\ude00,line=1,col=2,title=fastify-chirp%3A link::No ${shown}::error::c%250A\ud83d\ude00\n`)
  const json = formatJson(REPORT)
  t.same(JSON.parse(json), REPORT)
  t.notMatch(json, /[^\P{Cc}\n]|\u202e/u)
  t.end()
})

t.test('the lines around a finding keep their columns', async t => {
  const { stdout } = await run(home(t, APP, 'a\u001b[31m\t\u009bb {{ name | }}'), [])
  t.match(stdout, /> 1 \| a\ufffd\[31m \ufffdb \{\{ name \| \}\}\n/)
  t.notMatch(stdout, /[^\P{Cc}\n]/u)
})

t.test('the name of a template, and what the app throws', async t => {
  const folder = t.testdir({ 'app.js': APP, views: { 'page.html': '', '\u001b[2Jx.html': '{{ name | }}' } })
  t.match((await run(folder, [])).stdout, /^\\u001b\[2Jx\.html \(views\/\\u001b\[2Jx\.html\)\n/)
  t.match((await run(folder, ['--baseline', 'x.json', '--write-baseline'])).stdout, /^1 error, /)
  const { code, stderr } = await run(home(t, "throw new Error('\\u001b[2Jno')"), [])
  t.match(stderr, /^app\.js cannot be checked: Error: \\u001b\[2Jno\n {4}at /)
  t.equal(code, 2)
})
