// Connections that are killed at any moment: nothing is lost, nothing comes twice, and all see the same order.
import t from 'tap'
import { quiet, until } from '../helpers/app.js'
import { buildCrowd, comeAndGo, gapsOf, publish, settle } from '../helpers/crowd.js'
import { startRedis } from '../helpers/redis.js'

t.setTimeout(120000)

const KILLS = 320

const server = await startRedis(t)

async function killSome (admin, count) {
  const list = (await admin.client('LIST')).split('\n').filter(line => line !== '' && !line.includes('name=admin'))
  const ids = list.map(line => /\bid=(\d+)/.exec(line)[1])
  let kills = 0
  for (let n = 0; n < count && ids.length > 0; n++) {
    const [id] = ids.splice(Math.floor(Math.random() * ids.length), 1)
    kills += await admin.client('KILL', 'ID', id)
  }
  return kills
}

t.test('CLIENT KILL of any connection at any moment', async t => {
  const crowd = await buildCrowd(t, server, { options: { history: 100000 } })
  const admin = server.client({ connectionName: 'admin' })
  await until(() => admin.status === 'ready')
  const publishers = crowd.apps.flatMap((app, n) => ['a', 'b', 'c'].map(name => publish(crowd, app, name, `p${n}${name}`)))
  const restless = comeAndGo(crowd)
  let kills = 0
  while (kills < KILLS) {
    kills += await killSome(admin, 1 + Math.floor(Math.random() * 3))
    await quiet(Math.random() * 40)
  }
  await quiet(50)
  crowd.isOver = true
  await Promise.all([...publishers, restless])
  t.same(await settle(crowd), [])
  t.equal(gapsOf(crowd), 0, 'all of it is in the history')
  const count = [...crowd.published.values()].reduce((sum, { length }) => sum + length, 0)
  t.ok(count > KILLS, `${count} events`)
  for (const name of crowd.published.keys()) {
    const [first, ...others] = crowd.clients.filter(client => client.name === name).map(({ client }) => client.events.map(({ data }) => data))
    for (const other of others) t.same(other, first, `all see the same order of ${name}`)
  }
})
