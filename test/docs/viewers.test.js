// What the README says of viewers, and of members who come back, is run.
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { QuietClient } from '../helpers/client.js'
import { runBlock } from '../helpers/readme.js'

t.test('different HTML for different viewers', async t => {
  const { app, main: { tickets } } = await runBlock(t, 'viewers', 'tickets')
  const client = new QuietClient(app)
  const streams = [await client.open('/tickets?role=admin'), await client.open('/tickets?role=guest')]
  tickets.publish(new Fragment('tickets.html', 'item', { ticket: { title: 'Desk' } }, { target: 'tickets' }))
  t.match(await streams[0].next(), { event: 'tickets', data: '<li>Desk <button>Close</button></li>' })
  t.match(await streams[1].next(), { event: 'tickets', data: '<li>Desk</li>' })
  for (const stream of streams) stream.close()
})

t.test('a membership beside a channel', async t => {
  const { app, main: { guests, lobby } } = await runBlock(t, 'track', 'guests, lobby')
  const client = new QuietClient(app)
  const left = []
  guests.on('leave', ({ key }) => left.push(key))
  const stream = await client.open('/lobby?key=1&name=Ann')
  t.same(guests.members(), [{ key: '1', info: { name: 'Ann' }, count: 1 }])
  stream.close()
  await until(() => guests.members()[0].count === 0)
  const again = await client.open('/lobby?key=1&name=Ann')
  lobby.publish('hello')
  t.equal((await again.next()).data, 'hello')
  t.same([guests.members()[0].count, left], [1, []])
  again.close()
})
