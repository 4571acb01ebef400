// Cursors that no event can have had, and those of streams that a page followed before.
import t from 'tap'
import { merge } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

t.test('such a cursor is a gap for a channel', async t => {
  const app = await buildApp(t)
  const channel = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(channel))
  await channel.publish('one')
  const client = new TestClient(app)
  for (const id of ['x'.repeat(3000), 'a\nevent: b']) {
    const stream = await client.open(`/?lastEventId=${encodeURIComponent(id)}`)
    t.match(await stream.next(), { event: 'chirp:gap' })
    await stream.close()
  }
})

t.test('one channel finds its part in the cursor of a merged stream', async t => {
  const app = await buildApp(t)
  const [news, chat] = [app.channel('news'), app.channel('chat')]
  const cursors = [await news.publish('n1'), await chat.publish('c1')]
  await news.publish('n2')
  await chat.publish('c2')
  const collect = async lastEventId => {
    const values = []
    const entries = news.subscribe({ lastEventId })
    setTimeout(() => { news.publish('end') })
    for await (const { record } of entries) {
      if (record.data === 'end') return values
      values.push(record.event ?? record.data)
    }
  }
  t.same(await collect(cursors.join('~')), ['n2'])
  const other = await chat.publish('c3')
  t.same(await collect(`${other}~other-1`), ['chirp:gap'], 'none of it')
  t.same(await collect(`${cursors[0]}~${cursors[0]}`), ['chirp:gap'], 'two of it')
  t.same(await collect(`${cursors[0]}~x`), ['chirp:gap'], 'no cursor of a merged stream')
  t.ok(merge(news, chat))
})
