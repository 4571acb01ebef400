// Several processes under mixed faults: nothing is lost silently, nothing comes twice, and all see one order. CHIRP_FAULTS is
// how many rounds of faults there are.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { quiet, until } from '../helpers/app.js'
import { startApps, Wanderer } from '../helpers/processes.js'
import { startRedis } from '../helpers/redis.js'

const ROUNDS = Number(process.env.CHIRP_FAULTS ?? 1)

t.setTimeout(120000 * ROUNDS)

const server = await startRedis(t, '--appendonly', 'yes', '--appendfsync', 'always')
const admin = server.client({ connectionName: 'admin' })
const apps = await startApps(t, 3, { url: server.url, prefix: 'faults:' })
const clients = Array.from({ length: 6 }, () => new Wanderer(apps))
const acknowledged = []
const state = { isOver: false }

async function publish (app, name) {
  for (let n = 0; !state.isOver; n++) {
    try {
      const id = await app.call('publish', `${name}-${n}`)
      acknowledged.push(id)
    } catch {
      await quiet(20)
    }
    await quiet(2)
  }
}

const FAULTS = {
  async killConnections () {
    for (let n = 0; n < 20; n++) {
      await admin.client('KILL', 'TYPE', n % 2 === 0 ? 'pubsub' : 'normal', 'SKIPME', 'yes').catch(() => {})
      await quiet(Math.random() * 100)
    }
  },
  async freeze () {
    server.signal('SIGSTOP')
    await quiet(5000)
    server.signal('SIGCONT')
  },
  restart: () => server.restart(),
  async forget () {
    await server.kill()
    for (const name of readdirSync(server.folder)) rmSync(join(server.folder, name), { recursive: true })
    await server.start()
  },
  async killApp () {
    const app = apps[Math.floor(Math.random() * apps.length)]
    await app.kill()
    await app.start()
  }
}

const placeOf = id => {
  const [, epoch, time, count] = /^(.*)-(\d+)\.(\d+)$/.exec(id)
  return { epoch, time: Number(time), count: Number(count) }
}

/** What a client should have been told and was not; texts. */
function problemsOf ({ seen }, order) {
  const problems = []
  let last
  for (const id of seen) {
    if (id !== undefined && last !== undefined && order.get(id) !== order.get(last) + 1) problems.push(`${id} after ${last}`)
    else if (id !== undefined && last !== undefined && placeOf(id).epoch !== placeOf(last).epoch) problems.push(`${id} is of another epoch than ${last}`)
    last = id
  }
  const ids = seen.filter(id => id !== undefined)
  if (new Set(ids).size !== ids.length) problems.push('an event came twice')
  return problems
}

t.test('CLIENT KILL, a frozen server, restarts with and without data, and a process that is killed', async t => {
  const running = clients.map(client => client.run())
  await until(() => clients.every(({ isLive }) => isLive))
  const publishers = apps.map((app, n) => publish(app, n))
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(FAULTS).sort(() => Math.random() - 0.5)) {
      await FAULTS[name]()
      // Until it works again.
      const { length } = acknowledged
      await until(() => acknowledged.length > length + 20)
    }
  }
  state.isOver = true
  await Promise.all(publishers)
  // The process may still be on its way back from the last fault, while others published again.
  while (await apps[0].call('publish', 'last').then(() => false, () => true)) await quiet(20)
  await until(() => clients.every(({ data }) => data.at(-1) === 'last'))
  for (const client of clients) client.stop()
  await Promise.all(running)
  const all = [...new Set([...acknowledged, ...clients.flatMap(({ seen }) => seen.filter(id => id !== undefined))])]
  const places = all.map(id => ({ id, ...placeOf(id) }))
  places.sort((a, b) => a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : a.time - b.time || a.count - b.count)
  const order = new Map(places.map(({ id }, n) => [id, n]))
  for (const client of clients) t.same(problemsOf(client, order), [])
  t.ok(acknowledged.length > 200, `${acknowledged.length} events`)
  t.ok(clients.some(({ seen }) => seen.includes(undefined)), 'what is lost with the data is a gap')
})
