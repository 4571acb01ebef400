// What fragments of channels print of signals: never an older value after a newer one.
import t from 'tap'
import { Fragment, Fragments, merge } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { load } from '../helpers/live.js'
import { buildSignals, shown } from '../helpers/signals.js'

const NEWS = '{% block item %}{{ signal("a") }}{{ value | later }}{% endblock %}{% block plain %}{{ signal("a") }}{{ value }}{% endblock %}'

async function build (t, options) {
  const { app, env } = await buildSignals(t, { templates: { 'news.html': NEWS }, ...options })
  const a = app.signal('a', { initial: 'old' })
  const news = app.channel('news')
  app.get('/news', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: merge(news, app.signals()) }))
  const page = await load(app, '/news')
  const stream = await page.connect()
  await until(() => news.size === 1)
  /** What the place of the signal has shown, in this order, until a text has come. */
  const shownUntil = async text => {
    const values = []
    for (;;) {
      const { event, data } = await stream.next()
      values.push(...event === 'signal:a' ? [data] : shown(data).map(value => value.slice(2)))
      if (data.includes(text)) return values
    }
  }
  return { app, env, a, news, shownUntil, close: () => stream.close() }
}

const item = value => new Fragment('news.html', 'item', { value }, { target: 'news' })
const plain = value => new Fragment('news.html', 'plain', { value }, { target: 'news' })

for (const dialect of ['auto', 'htmx2', 'htmx4']) {
  t.test(`a fragment whose filter answers after the signal was set, ${dialect}`, async t => {
    const { app, env, a, close } = await build(t, { dialect })
    const rendered = app.renderFragment(item('one'))
    await a.set('new')
    env.answer()
    t.match(await rendered, />new<\/span>one/)
    await close()
  })
}

t.test('a fragment of a channel whose filter answers after the signal was set', async t => {
  const { env, a, news, shownUntil, close } = await build(t)
  const published = news.publish(item('one'))
  await a.set('new')
  env.answer()
  await published
  const values = await shownUntil('one')
  t.notOk(values.slice(1).includes('old'), 'but for what it was when the page connected')
  t.equal(values.at(-1), 'new')
  await close()
})

t.test('a fragment that waits for the one before it, alone and in a message of several', async t => {
  const { env, a, news, shownUntil, close } = await build(t)
  news.publish(item('one'))
  news.publish(plain('two'))
  const published = news.publish(new Fragments([plain('three'), new Fragment('page.html', 'item', { value: 'four' }, { target: 'other' })]))
  await a.set('new')
  env.answer()
  await published
  t.notOk((await shownUntil('four')).slice(1).includes('old'), 'but for what it was when the page connected')
  await close()
})

t.test('what an app renders itself', async t => {
  const { app, env, a, close } = await build(t)
  const html = app.renderFragment(item('one'))
  await a.set('new')
  env.answer()
  t.same(shown(await html), ['a=new'])
  await close()
})
