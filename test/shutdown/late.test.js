// What is published after app.close(): quiet, and no end of the process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { buildApp } from '../helpers/app.js'

t.setTimeout(180000)

const app = fileURLToPath(new URL('../fixtures/late/app.js', import.meta.url))

async function run (way) {
  const child = spawn(process.execPath, [app, way], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { output += text })
  const [code] = await once(child, 'close')
  return { code, output, isAlive: output.includes('alive\n'), level50: (output.match(/"level":50/g) ?? []).length, rejected: output.includes('rejected FST_CHIRP_CHANNEL_CLOSED') }
}

for (const way of ['bare', 'fresh', 'wrapped', 'rendering']) {
  t.test(`${way}: nobody waits for it, and nothing is said of it`, async t => {
    t.match(await run(way), { code: 0, isAlive: true, level50: 0, rejected: false })
  })
}

for (const way of ['awaited', 'caught', 'all', 'wrapper']) {
  t.test(`${way}: who waits for it hears of it`, async t => {
    t.match(await run(way), { code: 0, isAlive: true, level50: 0, rejected: true })
  })
}

t.test('any other rejection that nobody listens to ends the process as before', async t => {
  const { code, output } = await run('other')
  t.equal(code, 1)
  t.match(output, /a fault of the app/)
})

t.test('a channel that the app has closed itself is a fault, logged and not hidden', async t => {
  const { code, output, level50 } = await run('closed')
  t.equal(code, 1)
  t.equal(level50, 1)
  t.match(output, /FST_CHIRP_CHANNEL_CLOSED/)
})

t.test('what fails after the close is in the log for who looks for it', async t => {
  const app = await buildApp(t, {}, { logger: { level: 'debug', stream: { write: line => { lines.push(JSON.parse(line)) } } } })
  const lines = []
  const channel = app.channel('a')
  await app.close()
  await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
  await new Promise(setImmediate)
  t.match(lines.filter(({ err }) => err), [{ level: 20, err: { code: 'FST_CHIRP_CHANNEL_CLOSED' }, msg: 'an event of channel "a" was not published' }])
  t.equal(app.eventStreams.errors, 0)
})
