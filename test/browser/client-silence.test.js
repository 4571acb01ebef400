// What the client script makes of silence: a wire that is cut without a word, a proxy that holds everything back, and
// servers that have nothing to say.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t from 'tap'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, consoleOf, frames, logOf, shows, state } from './tabs.js'

/** A TCP proxy in front of a site. `cut()`: what is connected hears nothing more, not even an end. */
async function startWire (t, site) {
  const sockets = new Set()
  const wire = createServer(socket => {
    const other = connect(site.port, '127.0.0.1')
    for (const [a, b] of [[socket, other], [other, socket]]) {
      sockets.add(a)
      a.pipe(b)
      a.on('error', () => {})
      a.on('close', () => sockets.delete(a))
    }
  }).listen(0, '127.0.0.1')
  await once(wire, 'listening')
  t.teardown(() => {
    wire.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    url: `http://127.0.0.1:${wire.address().port}`,
    cut () {
      for (const socket of sockets) {
        socket.unpipe()
        socket.removeAllListeners('end')
        socket.resume()
      }
    }
  }
}

/** Nobody keeps a connection that a stream could come back on. */
const setup = ({ app }) => app.addHook('onSend', async (request, reply) => {
  if (!request.url.startsWith('/live')) reply.header('connection', 'close')
})

/** Lets so many seconds pass for a page, in which nothing comes. */
async function idle (page, seconds) {
  for (let n = 0; n < seconds; n++) await page.clock.runFor(1000)
}

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('a wire that is cut without a word is noticed, and nothing is lost', async t => {
    const site = await startSite(t, { heartbeat: 1000, setup })
    const wire = await startWire(t, site)
    const page = await openPage(t, `${wire.url}/?htmx=${htmx}`)
    const id = await site.add('one')
    await shows(page, ['one'])
    wire.cut()
    await site.add('two')
    await shows(page, ['one', 'two'])
    t.same(site.requests, ['/live', `/live?lastEventId=${id}`])
    t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', 'connected live /live'])
  })

  t.test('a stream that has only heartbeats is left alone', async t => {
    const site = await startSite(t, { heartbeat: 1000 })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const { bytes } = site.app.eventStreams
    await until(() => site.app.eventStreams.bytes >= bytes + 8)
    t.equal(site.requests.length, 1)
    t.same(await logOf(page), ['connected live /live'])
  })

  t.test('without a word of the server it is 15 seconds, and later twice that', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true, isAlone: true })
    await idle(page, 35)
    t.equal(site.requests.length, 1)
    await idle(page, 6)
    await until(() => site.requests.length === 2)
    await state(page, 'connected')
    await idle(page, 45)
    t.equal(site.requests.length, 2)
    await idle(page, 35)
    await until(() => site.requests.length === 3)
    await state(page, 'connected')
    // What comes in time says that it was no mistake.
    await site.add('one')
    await shows(page, ['one'])
    await idle(page, 42)
    await until(() => site.requests.length === 4)
  })

  t.test('an answer that does not come is given up too, once it was known what to wait for', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true, isAlone: true })
    const asked = answerWith(site, () => new Promise(() => {}))
    await idle(page, 42)
    await asked
    await idle(page, 14)
    await until(() => site.requests.length === 3)
    site.answer = undefined
    await idle(page, 30)
    await until(() => site.requests.length === 4)
    await state(page, 'connected')
  })

  for (const [name, options, answer] of [
    ['no heartbeats', { heartbeat: false }],
    ['longer ones', { heartbeat: 60000 }],
    ['a server that is not ours', {}, frames('data: x\n\n', { ends: false })]
  ]) {
    t.test(`${name}: nothing is missed`, async t => {
      const site = await startSite(t, options)
      if (answer) answerWith(site, answer)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true, isAlone: true })
      await idle(page, 60)
      t.equal(site.requests.length, 1)
      t.same(await logOf(page), ['connected live /live'])
    })
  }

  t.test('a stream of which nothing comes is named in the console, once', async t => {
    const site = await startSite(t)
    answerWith(site, frames('', { ends: false }))
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true, isAlone: true })
    const all = consoleOf(page)
    const messages = () => all.filter(message => message.startsWith('chirp'))
    await page.goto(`${site.url}/?htmx=${htmx}`)
    await until(() => site.requests.length === 1)
    await idle(page, 8)
    t.same(messages(), [])
    await idle(page, 10)
    t.same(messages(), ['chirp: nothing comes from /live. Does a proxy hold it back?'])
  })
})
