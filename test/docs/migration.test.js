// What docs/guide/migration.md shows is run.
import t from 'tap'
import { QuietClient } from '../helpers/client.js'
import { runBlock } from '../helpers/readme.js'

t.test('from @fastify/sse', async t => {
  const { app } = await runBlock(t, 'from-fastify-sse')
  const { events, ended } = await new QuietClient(app).sse('/readings', { lastEventId: '1' })
  t.same(events, [{ event: 'reading', id: '2', data: '{"id":2}' }, { event: 'reading', id: '3', data: '{"id":3}' }])
  t.ok(ended)
})

t.test('from better-sse', async t => {
  const { app } = await runBlock(t, 'from-better-sse')
  const stream = await new QuietClient(app).open('/chat')
  const { id } = (await app.inject({ method: 'POST', url: '/join' })).json()
  t.same(await stream.next(), { event: 'join-notification', id, data: 'A user has joined.' })
  stream.close()
})

t.test('from Socket.IO', async t => {
  const { app } = await runBlock(t, 'from-socket-io')
  const stream = await new QuietClient(app).open('/rooms/a')
  for (const room of ['b', 'a']) await app.inject({ method: 'POST', url: `/rooms/${room}`, payload: { text: room } })
  t.match(await stream.next(), { event: 'messages', data: '<li>a</li>' })
  stream.close()
})

t.test('from Chirp', async t => {
  const { app } = await runBlock(t, 'from-chirp')
  const { events } = await new QuietClient(app).sse('/items')
  t.match(events, [{ event: 'items', data: '<li>one</li>' }, { event: 'items', data: '<li>two</li>' }])
})
