// How a server ends a stream for good, and where it sends the page.
import t from 'tap'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, frames, logOf, pass, shows, state } from './tabs.js'

const unwanted = code => reply => reply.code(code).send('Who are you?')

/** Keeps the page, as an app can. */
const keep = () => document.addEventListener('chirp:refused', event => event.preventDefault())

/** Counts the pages that a site is asked for. */
const countPages = site => site.app.addHook('onRequest', async request => {
  if (/^\/(\?|elsewhere|sign-in)/.test(request.url)) site.pages = (site.pages ?? 0) + 1
})

await eachHtmx(t, (t, htmx, openPage) => {
  /** A page whose stream has been refused, after it was open. */
  async function refuse (t, answer, { prepare, setup } = {}) {
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { prepare })
    const asked = answerWith(site, answer)
    site.kill()
    await asked
    return { site, page }
  }

  const refusals = {
    'a 401': [unwanted(401), '401'],
    'a 403': [unwanted(403), '403'],
    'a redirect to what is no page': [reply => reply.redirect('/favicon.json'), '200'],
    'an address of another origin': [reply => reply.header('HX-Redirect', 'https://example.com/').code(401).send(), '401 https://example.com/'],
    'an address that is a script': [reply => reply.header('HX-Redirect', 'javascript:document.title=1').code(401).send(), '401 javascript:document.title=1'],
    'an address that is none': [reply => reply.header('HX-Redirect', 'http://[').code(403).send(), '403 http://[']
  }
  for (const [name, [answer, told]] of Object.entries(refusals)) {
    t.test(`${name} is the end, and the page is told`, async t => {
      const setup = ({ app }) => app.get('/favicon.json', () => ({ no: 'page' }))
      const { site, page } = await refuse(t, answer, { setup })
      await state(page, 'closed')
      t.same(await logOf(page), [
        'connected live /live', 'disconnected live /live lost', `disconnected live /live closed ${told}`, `refused live /live ${told}`
      ])
      const { length } = site.requests
      site.answer = undefined
      // Another one would have asked by then.
      const other = await openPage(t, `${site.url}/?htmx=${htmx}`)
      site.kill()
      await until(() => site.requests.length === length + 2, 'the other one is back')
      await state(other, 'connected')
      t.equal(site.app.eventStreams.open, 1, 'nobody asks again')
      t.equal(await page.locator('p').count(), 0, 'nothing of the answer is on the page')
    })
  }

  const ways = {
    'a redirect to a page': [reply => reply.redirect('/elsewhere'), '200'],
    'HX-Redirect of a 401': [reply => reply.header('HX-Redirect', '/elsewhere').code(401).send(), '401'],
    'HX-Redirect of a 200': [reply => reply.header('HX-Redirect', '/elsewhere').send(), '200'],
    'Location of a 401': [reply => reply.header('Location', '/elsewhere').code(401).send(), '401']
  }
  for (const [name, [answer, status]] of Object.entries(ways)) {
    t.test(`${name} is followed`, async t => {
      const { page } = await refuse(t, answer)
      await page.waitForURL('**/elsewhere')

      const kept = await refuse(t, answer, { prepare: keep })
      await state(kept.page, 'closed')
      t.same((await logOf(kept.page)).slice(2), [`disconnected live /live closed ${status} /elsewhere`, `refused live /live ${status} /elsewhere`])
      t.equal(await kept.page.locator('#live').count(), 1)
    })
  }

  // What the script runs before a page that is left is lost with it.
  t.test('a page that is sent where nothing is stays, once', async t => {
    for (const [name, value] of [['HX-Redirect', '/nothing'], ['HX-Refresh', 'true']]) {
      let pages = 0
      const setup = ({ app }) => app.addHook('onRequest', async ({ url }, reply) => {
        if (/^\/(\?|nothing)/.test(url) && ++pages > 1) return reply.code(204).send()
      })
      const { page } = await refuse(t, reply => reply.header(name, value).code(401).send(), { setup })
      await state(page, 'closed')
      await until(() => pages === 2, name)
      t.match((await logOf(page)).at(-1), /^refused live .* 401 /)
    }
  })

  t.test('HX-Refresh: true loads the page anew, and not in a loop', async t => {
    const { site, page } = await refuse(t, reply => reply.header('HX-Refresh', 'true').code(403).send(), { setup: countPages })
    await until(() => site.pages === 2, 'loaded anew')
    await state(page, 'closed')
    await until(() => site.requests.length === 3, 'asked for')
    await pass(page, 0)
    t.equal(site.pages, 2)
  })

  t.test('a page that is refused what it shows itself, and one that sends back: no loop', async t => {
    for (const to of [() => '/sign-in', ({ headers }) => headers.referer.includes('sign-in') ? '/?htmx=' + htmx : '/sign-in']) {
      const site = await startSite(t, {
        setup: site => {
          countPages(site)
          site.app.get('/sign-in', (request, reply) => reply.redirect(`/?htmx=${htmx}&title=Sign-in`))
        }
      })
      answerWith(site, (reply, request) => reply.header('HX-Redirect', to(request)).code(401).send())
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false })
      await page.waitForFunction(() => document.title === 'Sign-in')
      await state(page, 'closed')
      t.equal(site.requests.length, 2)
      t.equal(site.pages, 3, 'the page, the way to sign in, and that page')
    }
  })

  for (const event of ['chirp:closed', 'chirp:gone']) {
    t.test(`${event}: it stays away`, async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true })
      const asked = answerWith(site, frames(`event: ${event}\ndata: \n\n`))
      site.kill()
      await page.clock.runFor(500)
      await asked
      await state(page, 'closed')
      t.equal((await logOf(page)).at(-1), 'disconnected live /live closed')
      await pass(page, 5000)
      t.equal(site.requests.length, 2)

      // Made anew, it may ask.
      site.answer = undefined
      await page.evaluate(() => {
        document.getElementById('live').title = 'another attribute'
        window.htmx.process(document.getElementById('live'))
      })
      await page.clock.runFor(500)
      await state(page, 'connected')
      await site.add('one')
      await shows(page, ['one'])
    })
  }

  t.test('a redirect to a page that fails is tried again, and so is one to a stream', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const failed = answerWith(site, (reply, { url }) => url.startsWith('/other') ? reply.code(502).send() : reply.redirect('/other'))
    site.kill()
    await failed
    await until(async () => (await logOf(page)).length === 2, 'lost')
    site.answer = (request, reply) => request.url.startsWith('/other') ? reply.eventStream(site.news) : reply.redirect('/other')
    await state(page, 'connected')
    await site.add('one')
    await shows(page, ['one'])
  })
})
