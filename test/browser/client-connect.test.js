// How the client script connects, and comes back, on one generation of htmx:
// nothing is lost, nothing comes twice, whatever the server answers.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, connections, frames, hide, listOf, logOf, pass, show, shows, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('the element says how its stream is', async t => {
    const site = await startSite(t)
    let open
    const gate = new Promise(resolve => { open = resolve })
    const asked = answerWith(site, async reply => {
      await gate
      return reply.eventStream(site.news)
    })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false })
    await asked
    await state(page, 'connecting')
    t.same(await logOf(page), [])
    open()
    await state(page, 'connected')
    t.same(await logOf(page), ['connected live /live'])
    await site.add('one')
    await shows(page, ['one'])
    t.same(site.requests, ['/live'])
  })

  t.test('a connection that is cut goes on where it was', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const id = await site.add('one')
    await shows(page, ['one'])
    site.kill()
    await site.add('two')
    await shows(page, ['one', 'two'])
    await site.add('three')
    await shows(page, ['one', 'two', 'three'])
    t.same(site.requests, ['/live', `/live?lastEventId=${id}`])
    t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', 'connected live /live'])
  })

  const failures = {
    'a 503': reply => reply.code(503).send('Service Unavailable'),
    'a 500': reply => reply.code(500).send({ error: 'no' }),
    'an HTML page': reply => reply.type('text/html').send('<p>Who are you?</p>'),
    'an end at once': frames(''),
    'a cut in the head': reply => { reply.raw.destroy() }
  }
  t.test('an answer that is no stream costs nothing, also when no event has come before', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const items = []
    for (const [name, answer] of Object.entries(failures)) {
      const failed = answerWith(site, answer)
      site.kill()
      await failed
      await state(page, 'reconnecting')
      items.push(name)
      await site.add(name)
      site.answer = undefined
      await shows(page, items)
      await state(page, 'connected')
      await connections(site, 1)
    }
    t.equal(await page.locator('p').count(), 0, 'nothing of the answers is on the page')
  })

  t.test('nor does the first answer of all', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
    for (const [name, answer] of Object.entries(failures)) {
      const failed = answerWith(site, answer)
      await page.goto(`${site.url}/?htmx=${htmx}`)
      await failed
      await state(page, 'reconnecting')
      site.answer = undefined
      await page.clock.runFor(2500)
      await state(page, 'connected')
      t.equal(await page.locator('p').count(), 0)
      const status = { 'a 503': ' 503', 'a 500': ' 500', 'an HTML page': ' 200' }[name] ?? ''
      t.same(await logOf(page), [`disconnected live /live lost${status}`, 'connected live /live'], name)
    }
  })

  t.test('204 is the end', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    answerWith(site, reply => reply.code(204).send())
    site.kill()
    await state(page, 'closed')
    t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', 'disconnected live /live closed 204'])
    // Another one would have asked long ago.
    site.answer = undefined
    const other = await openPage(t, `${site.url}/?htmx=${htmx}`)
    site.kill()
    await until(() => site.requests.length === 4, 'the other one is back')
    await state(other, 'connected')
    t.equal(site.app.eventStreams.open, 1)
  })

  t.test('killed in the middle of an event', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    await site.add('one')
    await shows(page, ['one'])
    const half = answerWith(site, (reply, { query }) => {
      frames(`id: ${query.lastEventId}\n\nid: wrong\nevent: news\ndata: <li>ha`, { ends: false })(reply)
      setTimeout(() => reply.raw.destroy(), 50)
      return reply
    })
    site.kill()
    await half
    site.answer = undefined
    await site.add('two')
    await shows(page, ['one', 'two'])
    t.equal(new Set(site.requests).size, 2, 'the id of half an event does not count')
  })

  t.test('busy: it waits as long as it was asked to, also when somebody comes back to the page', async t => {
    const site = await startSite(t)
    answerWith(site, frames('event: chirp:busy\nretry: 100000\ndata: \n\n'))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
    await state(page, 'reconnecting')
    t.same(await logOf(page), ['disconnected live /live busy'])
    site.answer = undefined
    await hide(page)
    await page.clock.runFor(3000)
    await show(page)
    await page.clock.runFor(3000)
    await state(page, 'reconnecting')
    t.equal(site.requests.length, 1)
    await page.clock.runFor(100000)
    await state(page, 'connected')
    t.same(await logOf(page), ['disconnected live /live busy', 'connected live /live'])
  })

  t.test('a limit of the server itself', async t => {
    const site = await startSite(t, { maxStreams: 1 })
    const first = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const second = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
    await state(second, 'reconnecting')
    t.same(await logOf(second), ['disconnected live /live busy'])
    await first.goto(`${site.url}/elsewhere`)
    await connections(site, 0)
    await second.clock.runFor(16000)
    await state(second, 'connected')
  })

  t.test('the end that the page waits for is the end', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    site.news.publish(new SSEEvent({ event: 'bye' }))
    site.add('in the same packet, and too late')
    await state(page, 'closed')
    await connections(site, 0)
    if (htmx === 2) {
      await page.evaluate(() => window.htmx.process(document.body))
      await wait(300)
      t.equal(site.app.eventStreams.total, 1)
    }
    t.same(await listOf(page), [])
    t.same(await logOf(page), ['connected live /live', 'disconnected live /live closed'])
  })

  t.test('two hundred events in a row arrive in order', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const items = Array.from({ length: 200 }, (_, number) => `number ${number}`)
    for (const item of items.slice(0, 100)) site.add(item)
    await wait(20)
    site.kill()
    for (const item of items.slice(100)) site.add(item)
    await shows(page, items)
  })

  t.test('retry: 0 and a server that fails: later each time', async t => {
    const site = await startSite(t)
    answerWith(site, frames('event: a\nretry: 0\ndata: \n\n'))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
    await state(page, 'reconnecting')
    const failed = answerWith(site, reply => reply.code(503).send())
    await page.clock.runFor(200)
    await failed
    await until(async () => (await logOf(page)).at(-1).endsWith('lost'), 'lost')
    const { length } = site.requests
    await pass(page, 6000)
    t.ok(site.requests.length - length <= 3, `${site.requests.length - length} more in six seconds`)
  })

  t.test('retry: 0 is a time, what is no number is none', async t => {
    const site = await startSite(t)
    answerWith(site, frames('event: a\nretry: 600000\ndata: \n\nevent: b\nretry: 0\ndata: \n\nevent: c\nretry: 1e6\ndata: \n\nretry: -1\n\nretry\n\n'))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false })
    await until(() => site.requests.length > 2, 'it is back at once, twice')
    site.answer = undefined
    await state(page, 'connected')
  })

  t.test('a big event is looked at once, in however many pieces it comes', async t => {
    const site = await startSite(t)
    const size = 2_000_000
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const looked = await page.evaluate(() => {
      window.looked = 0
      for (const name of ['replace', 'split', 'matchAll']) {
        const original = String.prototype[name]
        // eslint-disable-next-line no-extend-native
        String.prototype[name] = function (...args) {
          if (args[0] instanceof RegExp || args[0] === '\n\n') window.looked += this.length
          return Reflect.apply(original, this, args)
        }
      }
      const { exec } = RegExp.prototype
      // eslint-disable-next-line no-extend-native
      RegExp.prototype.exec = function (text) {
        if (String(this) === '/\\n?\\r?$/') window.looked += text.length
        return Reflect.apply(exec, this, [text])
      }
      document.getElementById('live').addEventListener('big', ({ detail }) => { window.big = (detail.data ?? '').length })
      return window.looked
    })
    t.equal(looked, 0)
    site.news.publish(new SSEEvent({ event: 'big', data: 'x'.repeat(size) }))
    await site.add('one')
    await shows(page, ['one'])
    const times = await page.evaluate(() => window.looked) / size
    t.ok(times >= 2 && times < 8, `each character is looked at ${times} times`)
  })
})
