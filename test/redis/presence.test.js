// Presence over processes: one list, and each change told once.
import t from 'tap'
import { buildApp, quiet, until } from '../helpers/app.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const server = await startRedis(t)
let prefixes = 0

/** Apps that share an engine's data, each with what it was told. */
async function build (t, count, options, plugin) {
  const prefix = `presence${++prefixes}:`
  const heard = []
  const apps = []
  for (let n = 0; n < count; n++) {
    const app = await buildApp(t, { engine: engineOn(server, { prefix }), ...plugin })
    await app.ready()
    const people = app.channel('room').presence(options)
    for (const event of ['join', 'leave']) people.on(event, ({ key, info, count }) => heard.push(`${event} ${key} ${info ?? '-'} ${count}`))
    apps.push({ app, people })
  }
  return { apps, heard, prefix }
}

t.test('what cannot be told keeps no other member from being known, and is logged once', async t => {
  const prefix = `presence${++prefixes}:`
  const rooms = await Promise.all([1, 2].map(async () => {
    const engine = engineOn(server, { prefix, maxEventBytes: 600 })
    // What fails is tried again by a beat, and there is none.
    engine.beat = () => new Promise(() => {})
    const app = await buildApp(t, { engine })
    await app.ready()
    return { app, people: app.channel('room').presence() }
  }))
  const [{ app, people }, other] = rooms
  await until(() => other.app.eventStreams.ready)
  for (const round of [1, 2]) {
    people.join('big', { info: 'x'.repeat(1000) })
    // Some of them while it is being told.
    for (let n = 0; n < 12; n++) {
      await null
      people.join(`small ${round} ${n}`)
    }
    await until(() => other.people.size === 12 * round, `round ${round}`, 10000)
  }
  t.equal(people.size, 25)
  const failures = app.log.lines.filter(({ level }) => level > 40)
  t.equal(failures.length, 1)
  t.match(failures[0].err.message, /"maxEventBytes"/)
})

t.test('a member that was heard of is known for longer than a silence, however soon Redis forgets what is idle', async t => {
  const prefix = `presence${++prefixes}:`
  const app = await buildApp(t, { engine: engineOn(server, { prefix, idle: 1000 }) })
  await app.ready()
  app.channel('room').presence().join('ann')
  const client = server.client()
  const ttl = async () => await client.pttl(`${prefix}{chirp:presence:room}:alive`)
  while (await ttl() < 0) await quiet(5)
  t.ok(await ttl() > 30000)
})

t.test('a member with tabs in two processes is one, and stays until the last has left', async t => {
  const { apps: [a, b, c], heard } = await build(t, 3)
  const leaves = [a.people.join('ann', { info: 'Ann' })]
  t.same(a.people.members(), [{ key: 'ann', info: 'Ann', count: 1 }], 'here it is known at once')
  await until(() => b.people.size === 1)
  leaves.push(b.people.join('ann', { info: 'other' }), b.people.join('ann'))
  b.people.join('bob')
  for (const { people } of [a, b, c]) {
    await until(() => people.size === 2 && people.members()[0].count === 3)
    t.same(people.members(), [{ key: 'ann', info: 'Ann', count: 3 }, { key: 'bob', info: undefined, count: 1 }])
  }
  leaves[0]()
  await until(() => c.people.members()[0].count === 2)
  t.same(c.people.members()[0], { key: 'ann', info: 'Ann', count: 2 }, 'the info of the first time stays')
  leaves[1]()
  leaves[2]()
  for (const { people } of [a, b, c]) await until(() => people.size === 1)
  await until(() => heard.length === 3)
  t.same(heard, ['join ann Ann 1', 'join bob - 1', 'leave ann Ann 0'])
})
