// Members who are back within the grace never left.
import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, until } from '../helpers/app.js'

/** What a presence tells, as words. */
function listen (presence) {
  const heard = []
  for (const event of ['join', 'leave']) presence.on(event, ({ key, info, count }) => heard.push(`${event} ${key} ${info ?? '-'} ${count}`))
  return heard
}

async function build (t, options, plugin) {
  const app = await buildApp(t, plugin)
  const channel = app.channel('room')
  const people = channel.presence(options)
  return { app, channel, people, heard: listen(people) }
}

t.test('a member that is back within the grace never left, keeps the first info and the place in the list', async t => {
  const { people, heard } = await build(t, { grace: 60000 })
  const leave = people.join('ann', { info: 'first' })
  people.join('bob')
  leave()
  t.same(people.members(), [{ key: 'ann', info: 'first', count: 0 }, { key: 'bob', info: undefined, count: 1 }])
  t.equal(people.size, 2)
  people.join('ann', { info: 'second' })
  t.same(people.members()[0], { key: 'ann', info: 'first', count: 1 })
  t.same(heard, ['join ann first 1', 'join bob - 1'])
})

t.test('a member that is not back in time leaves once, and comes with a new info', async t => {
  const { people, heard } = await build(t, { grace: 5 })
  people.join('ann', { info: 'first' })()
  await until(() => people.size === 0)
  people.join('ann', { info: 'second' })
  t.same(heard, ['join ann first 1', 'leave ann first 0', 'join ann second 1'])
})

t.test('the grace begins anew with each last tab', async t => {
  const { people, heard } = await build(t, { grace: 300 })
  for (let n = 0; n < 20; n++) people.join('ann')()
  const leave = people.join('ann')
  await wait(350)
  t.equal(people.size, 1, 'no timer of before is left')
  leave()
  t.equal(people.members()[0].count, 0)
  await until(() => people.size === 0)
  t.same(heard, ['join ann - 1', 'leave ann - 0'])
})

t.test('a member that is back when the loop was busy for longer than the grace never left', async t => {
  const { people, heard } = await build(t, { grace: 20 })
  const leave = people.join('ann')
  // Between the timers and the immediates of one turn, as connections are heard.
  setTimeout(() => {
    leave()
    const end = Date.now() + 60
    while (Date.now() < end);
  }, 0)
  let isBack = false
  const poll = setInterval(() => {
    if (people.members()[0]?.count !== 0) return
    clearInterval(poll)
    people.join('ann')
    isBack = true
  }, 1)
  await until(() => isBack)
  await wait(50)
  t.same(heard, ['join ann - 1'])
})

t.test('a stream that reconnects does not leave', async t => {
  const { app, people, heard } = await build(t, { grace: 60000 })
  app.get('/', (request, reply) => reply.eventStream(people.track('ann', { info: 'Ann' })))
  const client = new TestClient(app, { listen: true })
  const first = await client.open('/')
  first.close()
  await until(() => people.members()[0].count === 0)
  const second = await client.open('/')
  t.equal(people.members()[0].count, 1)
  second.close()
  t.same(heard, ['join ann Ann 1'])
})

t.test('nobody leaves because the channel is closed', async t => {
  for (const grace of [0, 5, 60000]) {
    const { channel, people, heard } = await build(t, { grace })
    const leave = people.join('ann')
    people.join('bob')()
    heard.length = 0
    channel.close()
    t.equal(people.size, 0)
    leave()
    people.join('eve')
    t.same(people.members(), [], 'nor is anybody taken')
    await wait(20)
    t.same(heard, [])
    t.equal(channel.presence().size, 0)
  }
})

t.test('the presence of a channel that is closed takes nobody', async t => {
  const channel = (await buildApp(t)).channel('room')
  channel.close()
  channel.presence().join('ann')
  t.equal(channel.presence().size, 0)
})

t.test('nobody leaves because the app closes, however long that takes', async t => {
  const { app, people, heard } = await build(t, { grace: 1 }, { shutdownGrace: 200 })
  app.get('/', (request, reply) => reply.eventStream(people.track(request.query.user)))
  let release
  // What holds the close for longer than the grace.
  app.addHook('preClose', () => new Promise(resolve => { release = resolve }))
  const client = new TestClient(app, { listen: true })
  for (const user of ['ann', 'bob']) await client.open(`/?user=${user}`)
  t.equal(people.size, 2)
  const closed = app.close()
  await until(() => release !== undefined && people.members().every(({ count }) => count === 0))
  await wait(30)
  release()
  await closed
  t.same(heard, ['join ann - 1', 'join bob - 1'])
  t.equal(people.size, 0)
})

t.test('a grace does not keep the process', t => {
  const code = `
    import Fastify from 'fastify'
    import chirp from 'fastify-chirp'
    const app = Fastify()
    await app.register(chirp)
    app.channel('a').presence({ grace: 2147483647 }).join('ann')()
    await app.ready()
  `
  execFile(process.execPath, ['--input-type=module', '-e', code], { timeout: 60000 }, error => {
    t.error(error)
    t.end()
  })
})

t.test('options are given in one place', async t => {
  const app = await buildApp(t)
  const people = app.channel('a').presence({ grace: 100 })
  t.equal(app.channel('a').presence(), people)
  t.equal(app.channel('a').presence({ grace: 100 }), people)
  t.equal(app.channel('a').presence({ grace: undefined }), people)
  t.throws(() => app.channel('a').presence({ grace: 0 }), { code: 'FST_CHIRP_OPTION', message: /channel "a" was made with another "grace" before/ })
  const plain = app.channel('b').presence()
  t.equal(app.channel('b').presence({ grace: 0 }), plain)
  t.throws(() => app.channel('b').presence({ grace: 5 }), { code: 'FST_CHIRP_OPTION' })
  for (const [options, message] of [
    [{ grace: -1 }, /whole milliseconds from 0/], [{ grace: 1.5 }, /1.5/], [{ grace: '5' }, /the string "5"/], [{ grace: 2 ** 31 }, /2147483647/],
    [{ grase: 1 }, /Did you mean "grace"/], [5, /must be an object/], [null, /must be an object/]
  ]) {
    t.throws(() => app.channel('c').presence(options), { code: 'FST_CHIRP_OPTION', message })
    t.throws(() => app.channel('b').presence(options), { code: 'FST_CHIRP_OPTION', message })
  }
})
