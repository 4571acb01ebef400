// Channels when there are very many clients.
import { execSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { buildApp, heapUsed, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

// Slow machines take their time for thousands of connections.
t.setTimeout(220000)

const COUNTING_CLIENTS = `
import net from 'node:net'
const [port, count] = process.argv.slice(1).map(Number)
const counts = new Array(count).fill(0)
let open = 0, done = 0, closing = 0, closed = 0, connecting = 0
const say = message => process.stdout.write(JSON.stringify(message) + '\\n')
function connect (n) {
  let rest = ''
  let isOpen = false
  const socket = net.connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
  socket.on('data', text => {
    text = rest + text
    const end = text.lastIndexOf('\\n\\n') + 2
    rest = text.slice(end)
    text = text.slice(0, end)
    if (!isOpen && text.includes(': open')) {
      isOpen = true
      if (++open === count) say({ open })
      if (connecting < count) connect(connecting++)
    }
    counts[n] += text.split('data: event').length - 1
    if (text.includes('data: end')) if (++done === count) report()
    if (text.includes('event: chirp:closing')) closing++
  })
  socket.on('error', ({ message }) => { if (!isOpen) say({ n, message }) })
  socket.on('close', () => { if (++closed === count) say({ closing, counts: tally() }) })
}
const tally = () => { const tally = {}; for (const n of counts) tally[n] = (tally[n] ?? 0) + 1; return tally }
function report () { done = 0; say({ counts: tally() }); counts.fill(0) }
while (connecting < Math.min(count, 100)) connect(connecting++)
`

t.test('five thousand connections on one process', async t => {
  const files = execSync('ulimit -n', { shell: '/bin/sh' }).toString().trim()
  const connections = files === 'unlimited' ? 5000 : Math.min(5000, Number(files) - 200)
  const app = await buildApp(t, { writeTimeout: 30000, shutdownGrace: 5000 }, { logger: false })
  const channel = app.channel('a', { history: 100 })
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(channel))
  const port = await listen(app)
  const before = heapUsed()
  const child = spawn(process.execPath, ['--input-type=module', '-e', COUNTING_CLIENTS, String(port), String(connections)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
  t.teardown(() => child.kill())
  const messages = []
  createInterface(child.stdout).on('line', line => messages.push(JSON.parse(line)))
  const hear = async () => {
    await until(() => messages.length > 0, 'the clients have what they wait for', 100000)
    return messages.shift()
  }
  t.same(await hear(), { open: connections })
  t.equal(channel.size, connections)
  const idle = (heapUsed() - before) / connections
  t.ok(idle < 25000, `${Math.round(idle)} bytes of heap for each connection`)

  await channel.publish('event one')
  await turn()
  await channel.publish('end')
  t.same(await hear(), { counts: { 1: connections } }, 'one publish reaches all exactly once')

  for (let n = 0; n < 20; n++) {
    channel.publish(`event ${'x'.repeat(2000)}`)
    await channel.publish(`event ${'y'.repeat(2000)}`)
    await turn()
  }
  await channel.publish('end')
  t.same(await hear(), { counts: { 40: connections } })
  const busy = (heapUsed() - before) / connections
  t.ok(busy < 30000, `${Math.round(busy)} bytes of heap for each connection afterwards`)
  t.equal(app.eventStreams.dropped, 0)

  // The app closes while events are on their way.
  channel.publish('event last')
  await turn()
  channel.publish('event last')
  const closed = app.close()
  t.same(await hear(), { closing: connections, counts: { 2: connections } })
  await closed
  t.equal(channel.size, 0)
  t.equal(app.eventStreams.open, 0)
  await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
})

t.test('a reader that leaves in the middle of a broadcast takes nobody along', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const client = new TestClient(app, { listen: true })
  await listen(app)
  const streams = await Promise.all(Array.from({ length: 30 }, () => client.open('/')))
  for (let n = 0; n < 60; n++) {
    channel.publish(n)
    if (n % 3 === 0) streams[n / 3].close()
    await turn()
  }
  await until(() => channel.size === 10)
  for (const stream of streams.slice(20)) {
    const events = []
    while (events.length < 60) events.push(Number((await stream.next()).data))
    t.same(events, Array.from({ length: 60 }, (_, n) => n))
    stream.close()
  }
  t.equal(app.eventStreams.errors, 0)
})
