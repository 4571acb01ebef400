// The client script with the parts of the server that it is made for: live
// pages, gaps that come again, keys, sign-out, jobs.
import { setTimeout as wait } from 'node:timers/promises'
import formbody from '@fastify/formbody'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { SCRIPTS, startSite } from './site.js'
import { ageOf, connections, logOf, pass, state } from './tabs.js'

await eachHtmx(t, (t, htmx, openPage) => {
  const isStream = ({ query }) => query.lastEventId !== undefined

  /**
   * A site with a live page at `/page`, which shows `items` and the number of its load; `loads` are those of all sites
   * that share it. `before(request)` runs before a request of that route is answered.
   */
  async function startLive (t, { attributes = 'chirp-refresh', history, loads = [], before = () => {}, live, stream, routes, ...options } = {}) {
    const site = await startSite(t, {
      dialect: `htmx${htmx}`,
      ...options,
      setup (site) {
        const { app } = site
        site.live = app.channel('live', { history })
        site.say = text => site.live.publish(new Fragment('page.html', 'item', { text }, { target: 'news', swap: 'beforeend' }))
        app.get('/page', { live: true, preHandler: async (request, reply) => before(request, reply, site) }, (request, reply) => {
          const context = () => {
            loads.push(request.url)
            return { title: 'Live', scripts: Object.keys(SCRIPTS[htmx]), attributes, items: [`load ${loads.length}`] }
          }
          return reply.page('live.html', context, { live: live?.(app) ?? site.live, stream })
        })
        routes?.(site)
        app.get('/sign-in', (request, reply) => reply.type('text/html').send('<title>Sign in</title>'))
      }
    })
    return Object.assign(site, { loads, page: `${site.url}/page` })
  }

  const shown = page => page.locator('ul > li').allTextContents()
  const isStale = page => page.locator('#live[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })

  t.test('a channel that keeps nothing, and speaks before each stream: two loads, and the page stays', async t => {
    const streams = []
    const before = async (request, reply, site) => {
      if (!isStream(request)) return
      streams.push(request.url)
      await site.say('missed')
    }
    const site = await startLive(t, { history: 0, before })
    const page = await openPage(t, site.page, { isOpen: false, clock: true })
    await until(async () => {
      await pass(page, 200)
      return streams.length === 2
    }, 'the second stream')
    await isStale(page)
    site.kill()
    await pass(page, 13000)
    t.equal(site.loads.length, 2)
    t.ok(streams.length > 2, 'it came back')
    t.match(streams[1], /[?&]chirp-gap=1/)
    await until(() => site.app.eventStreams.open === 1, 'one stream')
    await site.say('heard')
    await until(async () => String(await shown(page)) === 'load 2,heard', 'it goes on')
  })

  t.test('a process that forgets, again and again: at most two loads in ten seconds', async t => {
    const loads = []
    let site = await startLive(t, { loads })
    await site.say('before')
    const page = await openPage(t, site.page, { clock: true })
    for (let round = 0; round < 5; round++) {
      await site.app.close()
      site = await startLive(t, { loads, port: site.port })
      await site.say('of another process')
      await pass(page, 2000)
      // One of its own, after which a gap is a new one.
      await site.say('alive')
      await pass(page, 400)
    }
    const seconds = await ageOf(page)
    t.ok(loads.length >= 2 && loads.length <= 2 * Math.ceil(seconds / 10), `${loads.length} in ${seconds} seconds`)
    await pass(page, 12000)
    await state(page, 'connected')
  })

  t.test('many have a gap at once: they come one after the other', async t => {
    const others = 200
    let waiting = 0
    let open
    const gate = new Promise(resolve => { open = resolve })
    // All streams start in one go, that of the page at the end.
    const before = request => {
      if (!isStream(request)) return
      if (++waiting === others + 1) open()
      return gate
    }
    const site = await startLive(t, { before })
    await site.say('missed')
    const client = new TestClient(site.app)
    const streams = Array.from({ length: others }, () => client.open('/page?lastEventId=unknown', { headers: { accept: 'text/event-stream' } }))
    t.teardown(() => Promise.all(streams.map(async stream => (await stream).close())))
    await until(() => waiting === others, 'all but the page')
    const page = await openPage(t, `${site.page}?title=x`, {
      isOpen: false,
      prepare: () => {
        Math.random = () => 0.9
        for (const name of ['chirp:connected', 'chirp:disconnected']) document.addEventListener(name, () => (window.times ??= []).push(Date.now()))
        // An id that nobody knows.
        document.addEventListener('DOMContentLoaded', () => {
          const live = document.getElementById('live')
          for (const name of live.getAttributeNames()) {
            if (name.endsWith('connect')) live.setAttribute(name, live.getAttribute(name).replace(/lastEventId=.*/, 'lastEventId=unknown'))
          }
        })
      }
    })
    await until(async () => (await page.evaluate(() => window.times?.length)) === 3, 'it is back', 30000)
    const [, lost, back] = await page.evaluate(() => window.times)
    t.ok(back - lost >= 900, `${back - lost} ms; alone it would be about 450`)
    t.equal(site.loads.length, 2)
  })

  t.test('app.eventStreams.close(key): the script stays away, an EventSource comes back', async t => {
    const site = await startSite(t)
    site.answer = (request, reply) => reply.eventStream(site.news, { key: 'user:1' })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    await page.evaluate(() => { window.plain = new window.EventSource('/live?plain=1') })
    await connections(site, 2)
    t.equal(await site.app.eventStreams.close('user:1'), 2)
    await state(page, 'closed')
    // After the time that chirp:closed asks for.
    await until(() => site.requests.filter(url => url.includes('plain')).length === 2, 'the other one is back', 30000)
    await wait(500)
    t.equal(site.requests.filter(url => !url.includes('plain')).length, 1)
    t.same(await logOf(page), ['connected live /live', 'disconnected live /live closed'])
  })

  const answers = {
    'a redirect to the sign-in page': reply => reply.redirect('/sign-in'),
    '401 with HX-Redirect': reply => reply.code(401).header('HX-Redirect', '/sign-in').send('Who are you?'),
    '401 alone': reply => reply.code(401).send('Who are you?')
  }
  for (const [name, answer] of Object.entries(answers)) {
    t.test(`signed out while the page is open: ${name}`, async t => {
      let isOut = false
      let streams = 0
      const before = async (request, reply) => {
        if (isStream(request)) streams++
        if (isOut) return answer(reply)
      }
      for (const end of ['the connection is lost', 'the stream has a gap']) {
        isOut = false
        streams = 0
        const site = await startLive(t, { before })
        const page = await openPage(t, site.page)
        if (end === 'the stream has a gap') {
          // The server starts anew, so that the page is fetched; the session ends between the two.
          await site.say('one')
          await until(async () => (await shown(page)).length === 2, 'one')
          await site.app.close()
          const next = await startLive(t, {
            port: site.port,
            before: async (request, reply) => {
              if (isOut) return answer(reply)
              isOut = true
            }
          })
          await next.say('two')
        } else {
          isOut = true
          site.kill()
        }
        if (name === '401 alone') {
          await state(page, 'closed')
          t.match((await logOf(page)).at(-1), /^refused live .* 401$/)
        } else {
          await page.waitForURL('**/sign-in')
          t.equal(await page.title(), 'Sign in')
        }
        t.ok(streams <= 2, end)
      }
    })
  }

  t.test('a job with a stop button ends, and does not come back', async t => {
    const site = await startLive(t, {
      live: app => app.job('answer'),
      stream: { closeEvent: 'done' },
      routes: ({ app }) => app.register(formbody).post('/stop', async (request, reply) => {
        await app.job('answer').stop()
        return reply.code(204).send()
      })
    })
    const job = site.app.job('answer', async function * ({ signal }) {
      yield new Fragment('page.html', 'item', { text: 'a word' }, { target: 'news', swap: 'beforeend' })
      await wait(600_000, undefined, { signal })
    })
    const page = await openPage(t, site.page, { clock: true })
    await site.app.job('answer').cursor()
    await page.locator('button').click()
    await state(page, 'closed')
    t.equal(await job.done, 'stopped')
    t.match((await logOf(page)).at(-1), /^disconnected live .* closed$/)
    await pass(page, 10000)
    t.equal(site.app.eventStreams.total, 1)
    t.equal(site.loads.length, 1)
  })
})
