// What docs/guide/signals.md shows is run.
import t from 'tap'
import { QuietClient } from '../helpers/client.js'
import { addressIn } from '../helpers/live.js'
import { runBlock } from '../helpers/readme.js'

t.test('one value, many places', async t => {
  const { app, main: { net, state } } = await runBlock(t, 'signals', 'net, state')
  const { body } = await app.inject('/')
  const text = body.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ').trim()
  t.equal(text, 'You have 0, and 100 in all.')
  const stream = await new QuietClient(app).open(addressIn(body))
  const seen = new Map()
  const until = async (name, data) => { while (seen.get(name) !== data) { const event = await stream.next(); seen.set(event.event, event.data) } }
  await until('signal:state', '<b class="idle">idle</b>')
  t.equal((await app.inject({ method: 'POST', url: '/deposits', payload: { amount: 5 } })).statusCode, 204)
  await until('signal:net', '105')
  t.equal(net.value, 105)
  await state.set('busy')
  await until('signal:state', '<b class="busy">busy</b>')
  stream.close()
})

t.test('derived signals, some of them, and values for one', async t => {
  const { app, main: { balance, net } } = await runBlock(t, 'balance', 'balance, net')
  await app.ready()
  t.same([balance.value, net.value], [42, 142])
  for (const directory of ['some-signals', 'own-signals']) {
    const { app } = await runBlock(t, directory)
    t.equal((await app.inject('/')).statusCode, 200)
  }
})
