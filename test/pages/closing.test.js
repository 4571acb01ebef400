// An app that closes while a page waits for the app's own functions.
import t from 'tap'
import { defer } from 'fastify-chirp'
import { later, pageApp, place, read } from '../helpers/deferred.js'
import { buildTickets } from '../helpers/live-views.js'

for (const option of ['authorize', 'viewer']) {
  t.test(`${option} of a live view answers after the app has closed`, async t => {
    for (const [accept, status, body] of [['text/html', 503, /FST_CHIRP_CLOSING/], ['text/event-stream', 200, /^event: chirp:closing/]]) {
      const [asked, answer] = [later(), later()]
      const { app } = await buildTickets(t, { view: { [option]: () => { asked.resolve(); return answer.promise } } })
      const response = app.inject({ url: '/tickets/7', headers: { accept } })
      await asked.promise
      await app.close()
      answer.resolve({})
      const { statusCode, body: text } = await response
      t.equal(statusCode, status)
      t.match(text, body)
    }
  })
}

t.test('a context that is made after the app has closed is a page', async t => {
  const [asked, answer] = [later(), later()]
  const app = await pageApp(t, '{{ a }}', () => () => { asked.resolve(); return answer.promise }, { options: () => ({ live: app.channel('news') }) })
  const response = app.inject('/')
  await asked.promise
  await app.close()
  answer.resolve({ a: 'A' })
  t.equal((await response).body, 'A')
})

t.test('deferred values that begin after the app has closed get its grace', async t => {
  const [asked, answer] = [later(), later()]
  const app = await pageApp(t, '{% block a %}{% if a is failed %}Not now.{% endif %}{% endblock %}', () => ({ a: defer(() => new Promise(() => {})) }), {
    options: { timeout: false, await: () => { asked.resolve(); return answer.promise } },
    plugin: { shutdownGrace: 20 }
  })
  const reading = read(app)
  await asked.promise
  await app.close()
  answer.resolve(false)
  const page = await reading
  t.match(await page.rest(), place(1))
  t.match(app.log.lines.find(({ level }) => level === 50).err.message, 'was pending when the app closed')
})
