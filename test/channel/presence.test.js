// Who is here.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

t.test('presence', async t => {
  t.test('tabs of one member are counted, and who disconnects leaves', async t => {
    const app = await buildApp(t)
    const channel = app.channel('room')
    const presence = channel.presence()
    t.equal(channel.presence(), presence)
    app.get('/', (request, reply) => reply.eventStream(({ signal }) => {
      presence.join(request.query.user, { info: { tab: request.query.tab }, signal })
      return channel
    }))
    const heard = []
    presence.on('join', member => heard.push(['join', member]))
    presence.on('leave', member => heard.push(['leave', member]))
    const client = new TestClient(app, { listen: true })
    const ann1 = await client.open('/?user=ann&tab=1')
    const bob = await client.open('/?user=bob&tab=1')
    const ann2 = await client.open('/?user=ann&tab=2')
    t.same(presence.members(), [{ key: 'ann', info: { tab: '1' }, count: 2 }, { key: 'bob', info: { tab: '1' }, count: 1 }])
    t.equal(presence.size, 2)
    ann1.close()
    await until(() => presence.members()[0].count === 1)
    t.same(heard.splice(0), [['join', { key: 'ann', info: { tab: '1' }, count: 1 }], ['join', { key: 'bob', info: { tab: '1' }, count: 1 }]])
    ann2.close()
    await until(() => presence.size === 1)
    t.same(heard.splice(0), [['leave', { key: 'ann', info: { tab: '1' }, count: 0 }]])
    const again = await client.open('/?user=ann&tab=3')
    t.same(presence.members().map(({ key }) => key), ['bob', 'ann'])
    await app.close()
    t.equal(presence.size, 0)
    t.same(heard.map(([name, { key }]) => `${key} ${name}`).sort(), ['ann join', 'ann leave', 'bob leave'])
    for (const stream of [bob, again]) stream.close()
  })

  t.test('without a signal one leaves by hand, once', async t => {
    const presence = (await buildApp(t)).channel('room').presence()
    const leaves = [presence.join('ann'), presence.join('ann')]
    t.same(presence.members(), [{ key: 'ann', info: undefined, count: 2 }])
    leaves[0]()
    leaves[0]()
    t.equal(presence.members()[0].count, 1)
    presence.members()[0].count = 99
    t.equal(presence.members()[0].count, 1, 'members are copies')
    leaves[1]()
    t.same(presence.members(), [])
  })

  t.test('a member that has left by hand does not leave once more with the signal, nor comes with one that has aborted', async t => {
    const presence = (await buildApp(t)).channel('room').presence()
    const controller = new AbortController()
    const leave = presence.join('ann', { signal: controller.signal })
    presence.join('ann')
    leave()
    controller.abort()
    t.equal(presence.members()[0].count, 1)
    presence.join('bob', { signal: controller.signal })()
    t.equal(presence.size, 1)
  })

  t.test('an info that is a promise is refused, and its failure ends no process', async t => {
    const presence = (await buildApp(t)).channel('room').presence()
    for (const call of [info => presence.join('ann', { info }), info => presence.track('ann', { info })]) {
      t.throws(() => call(Promise.reject(new Error('late'))), { code: 'FST_CHIRP_OPTION', message: /"info" of presence\.(join|track)\(\) must be there .* Await it first/ })
    }
    await turn()
    t.equal(presence.size, 0)
  })
})
