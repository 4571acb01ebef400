// Parts of pages: where they are put, when, and that they undo nothing.
import fastifyHelmet from '@fastify/helmet'
import t from 'tap'
import { defer, Fragment } from 'fastify-chirp'
import { buildApp, listen } from '../helpers/app.js'
import { environment, later } from '../helpers/deferred.js'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { serveScripts } from './scripts.js'
import { SCRIPTS } from './site.js'

const HEAD = `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Parts</title>
{% for src in scripts %}<script src="{{ src }}" nonce="{{ nonce }}"></script>{% endfor %}
{% if early %}{{ chirp_client(nonce=nonce) }}{% endif %}</head>`

const VIEWS = {
  'all.html': `${HEAD}<body>
<section id="plain" class="keep me">{% block plain %}{% if a is pending %}<input id="field" value="x">{% else %}
  <b>{{ a }}</b><input id="field" value="x"><button id="more" hx-get="/more" hx-target="#out">more</button>
  <script nonce="{{ nonce }}">window.runs = (window.runs ?? 0) + 1</script>{% endif %}{% endblock %}</section>
<table><tbody>{% block rows %}{% if b is pending %}<tr><td>-</td></tr>{% else %}{% for n in b %}<tr><td>{{ n }}</td></tr>{% endfor %}{% endif %}{% endblock %}</tbody></table>
<select id="choice">{% block options %}{% if b is pending %}<option>-</option>{% else %}{% for n in b %}<option>{{ n }}</option>{% endfor %}{% endif %}{% endblock %}</select>
<svg>{% block dots %}{% if c is settled %}<circle r="{{ c }}"/>{% endif %}{% endblock %}</svg>
<output id="out"></output>
{% if late %}<script src="{{ late }}" nonce="{{ nonce }}" {{ mode }}></script>{% endif %}
</body></html>`,
  'nested.html': `${HEAD}<body><div id="outer">{% block outer %}{% if a is pending %}<i>a</i>{% else %}<b>{{ a }}</b>{% endif %}<div id="inner">{% block inner %}{% if b is pending %}<i>b</i>{% else %}<b>{{ b }}</b>{% endif %}{% endblock %}</div>{% endblock %}</div></body></html>`,
  'live.html': `${HEAD}<body><main {{ sse_connect() }}><p {{ sse_swap("count") }}>{% block count %}{% if a is pending %}-{% else %}{{ a }}{% endif %}{% endblock %}</p>
<p id="other">{% block other %}{% if b is settled %}{{ b }}{% endif %}{% endblock %}</p></main></body></html>`,
  'text.html': '{% block text %}{{ text }}{% endblock %}'
}

async function build (t, htmx, { template, early = true, late, mode, isStrict = false, live }) {
  const app = await buildApp(t, { templates: environment(VIEWS), retry: 50, dialect: `htmx${htmx}`, shutdownGrace: 0 })
  if (isStrict) {
    await app.register(fastifyHelmet, {
      enableCSPNonces: true,
      contentSecurityPolicy: { directives: { scriptSrc: ["'strict-dynamic'"], styleSrc: ["'unsafe-inline'"], upgradeInsecureRequests: null } },
      strictTransportSecurity: false
    })
  }
  serveScripts(app, SCRIPTS[htmx])
  app.get('/more', () => '<i>more</i>')
  const values = { a: later(), b: later(), c: later() }
  const news = app.channel('news')
  app.get('/', { live: live === true }, (request, reply) => reply.page(template, () => ({
    scripts: Object.keys(SCRIPTS[htmx]), nonce: reply.cspNonce?.script ?? '', early, late, mode, a: defer(values.a.promise), b: defer(values.b.promise), c: defer(values.c.promise)
  }), live ? { live: news } : {}))
  return { app, values, news, url: `http://127.0.0.1:${await listen(app)}/` }
}

const opened = { isOpen: false, waitUntil: 'commit' }
const ready = page => page.evaluate(() => document.readyState)

await eachHtmx(t, (t, htmx, openPage) => {
  for (const isStrict of [false, true]) {
    t.test(`parts come to their places while the page loads${isStrict ? ', under a policy with nonces' : ''}`, async t => {
      const { values, url } = await build(t, htmx, { template: 'all.html', isStrict })
      const page = await openPage(t, url, opened)
      await page.locator('#field').fill('typed')
      values.b.resolve([1, 2])
      await page.locator('tbody > tr:nth-child(2) > td', { hasText: '2' }).waitFor()
      await page.locator('#choice > option:nth-child(2)').waitFor({ state: 'attached' })
      t.equal(await page.locator('table > tbody > tr').count(), 2, 'the place is empty again')
      t.equal(await page.locator('#choice > option').count(), 2)
      t.equal(await ready(page), 'loading')
      values.a.resolve('<a>')
      await page.locator('#plain > b', { hasText: '<a>' }).waitFor()
      t.equal(await page.locator('#plain').getAttribute('class'), 'keep me')
      t.same(await page.evaluate(() => [document.activeElement.id, document.activeElement.value]), ['field', 'typed'], 'who types goes on')
      values.c.resolve(7)
      await until(async () => await ready(page) === 'complete', 'all is there')
      t.same(await page.evaluate(() => {
        const circle = document.querySelector('svg > circle')
        return [circle.constructor.name, circle.getAttribute('r'), window.runs, document.querySelectorAll('template, chirp-part').length]
      }), ['SVGCircleElement', '7', 1, 0])
      t.notMatch(await page.content(), 'chirp-part:')
      await page.locator('#more').click()
      await page.locator('#out > i', { hasText: 'more' }).waitFor()
    })
  }

  for (const mode of ['defer', 'type=module']) {
    t.test(`the script may come after the parts: ${mode}`, async t => {
      const { values, url } = await build(t, htmx, { template: 'all.html', early: false, late: '/_chirp/client.js', mode })
      const page = await openPage(t, url, opened)
      await page.locator('#choice').waitFor()
      for (const value of Object.values(values)) value.resolve([3])
      await until(async () => await ready(page) === 'complete', 'all is there')
      await page.locator('#plain > b', { hasText: '3' }).waitFor()
      t.equal(await page.evaluate(() => window.runs), 1)
      await page.locator('#more').click()
      await page.locator('#out > i').waitFor()
    })
  }

  t.test('a script that is loaded when all is over gives the parts to htmx too', async t => {
    const { values, url } = await build(t, htmx, { template: 'all.html', early: false })
    const page = await openPage(t, url, opened)
    for (const value of Object.values(values)) value.resolve([3])
    await until(async () => await ready(page) === 'complete', 'all is there')
    await page.addScriptTag({ url: '/_chirp/client.js' })
    await page.locator('#plain > b', { hasText: '3' }).waitFor()
    await page.locator('#more').click()
    await page.locator('#out > i').waitFor()
  })

  t.test('a block in a block, in both orders', async t => {
    for (const order of ['ab', 'ba']) {
      const { values, url } = await build(t, htmx, { template: 'nested.html' })
      const page = await openPage(t, url, opened)
      await page.locator('#inner > i').waitFor()
      for (const name of order) {
        values[name].resolve(name)
        await page.locator(name === 'a' ? '#outer > b' : '#inner > b').waitFor()
      }
      await until(async () => await ready(page) === 'complete', 'all is there')
      t.equal(await page.locator('body').innerHTML(), '<div id="outer"><b>a</b><div id="inner"><b>b</b></div></div>')
    }
  })

  for (const isEarly of [false, true]) {
    t.test(`a live page is right in the end, ${isEarly ? 'also when htmx is started early' : 'whatever comes first'}`, async t => {
      const { app, values, news, url } = await build(t, htmx, { template: 'live.html', live: true })
      const page = await openPage(t, url, opened)
      await page.locator('#other').waitFor({ state: 'attached' })
      await page.waitForFunction(() => window.__chirp)
      if (isEarly) await page.evaluate(() => { window.htmx.process(document.body) })
      // It is newer than what the part shows, and was sent before it.
      await news.publish(new Fragment('text.html', 'text', { text: 'newer' }, { target: 'count' }))
      t.equal(app.eventStreams.total, 0, 'a stream waits for the parts')
      values.a.resolve('older')
      await page.locator('main > p', { hasText: 'older' }).waitFor()
      t.equal(app.eventStreams.total, 0)
      values.b.resolve('b')
      await page.locator('main > p', { hasText: 'newer' }).waitFor()
      t.equal(await page.locator('#other').textContent(), 'b')
    })
  }

  t.test('a part whose place was replaced by something newer is not put anywhere', async t => {
    const { app, values, url } = await build(t, htmx, { template: 'nested.html' })
    const page = await openPage(t, url, opened)
    await page.locator('#inner > i').waitFor()
    await page.evaluate(() => { document.querySelector('#inner').innerHTML = '<u>newer</u>' })
    values.b.resolve('older')
    await until(() => app.eventStreams.partsPending === 1, 'the inner one has left')
    values.a.reject(new Error('no a'))
    await until(async () => await ready(page) === 'complete', 'all is there')
    t.equal(await page.locator('body').innerHTML(), '<div id="outer"></div>', 'the outer one has failed')
  })
})
