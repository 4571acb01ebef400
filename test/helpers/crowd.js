// Several apps on one Redis, with publishers and clients that come and go: what the clients saw is compared.
import { SSEEvent } from 'fastify-chirp'
import { Client } from './engines.js'
import { buildApp, quiet, until } from './app.js'
import { engineOn } from './redis.js'

/** Apps that share topics, each with an engine of its own, as processes have. */
export async function buildCrowd (t, server, { apps = 2, channels = ['a', 'b', 'c'], options = {}, engine = {} } = {}) {
  const prefix = `crowd${Math.random().toString(36).slice(2)}:`
  const crowd = { apps: [], clients: [], published: new Map(channels.map(name => [name, []])), isOver: false }
  for (let n = 0; n < apps; n++) {
    const app = await buildApp(t, { engine: engineOn(server, { prefix, commandTimeout: 1000, ...engine }), shutdownGrace: 0 })
    await app.ready()
    crowd.apps.push(app)
    for (const name of channels) {
      for (const isRestless of [false, true]) {
        const client = new Client(app.channel(name, options))
        crowd.clients.push({ name, client, isRestless })
        client.connect()
      }
    }
  }
  await until(() => crowd.clients.every(({ client }) => client.cursor !== ''), 'every client has its place')
  return crowd
}

/** Publishes until it is stopped: what was rejected again with the same id, until it is there. */
export async function publish (crowd, app, name, by, pause = 1) {
  const channel = app.channel(name)
  let rejected = 0
  for (let n = 1; !crowd.isOver; n++) {
    const data = `${by} ${n}`
    for (;;) {
      const error = await channel.publish(new SSEEvent({ data, id: `${by}.${n}` })).then(() => undefined, error => error)
      if (error === undefined || error.code === 'FST_CHIRP_ID') break
      if (error.code === 'FST_CHIRP_CHANNEL_CLOSED') return rejected
      if (error.code !== 'FST_CHIRP_ENGINE') throw error
      rejected++
      await quiet(5)
    }
    crowd.published.get(name).push(data)
    await quiet(pause)
  }
  return rejected
}

/** Clients that come and go, and one in two comes back at once. */
export async function comeAndGo (crowd) {
  const restless = crowd.clients.filter(({ isRestless }) => isRestless)
  while (!crowd.isOver) {
    const { client } = restless[Math.floor(Math.random() * restless.length)]
    if (client.isConnected) client.disconnect()
    else client.connect()
    await quiet(3)
  }
}

/** Brings everyone to the end, and says what is wrong. */
export async function settle (crowd) {
  for (const [name] of crowd.published) {
    const channel = crowd.apps[0].channel(name)
    for (;;) {
      const error = await channel.publish(new SSEEvent({ data: 'end', id: 'end' })).then(() => undefined, error => error)
      if (error === undefined || error.code === 'FST_CHIRP_ID') break
      await quiet(20)
    }
  }
  await until(() => crowd.clients.map(({ client }) => {
    if (client.error !== undefined && client.isConnected) client.disconnect()
    client.error = undefined
    if (!client.isConnected) client.connect()
    return client.events.at(-1)?.data === 'end' || client.events.at(-1)?.event === 'chirp:gap'
  }).every(Boolean), 'everyone has come to the end', 60000).catch(error => {
    error.message += crowd.clients.map(({ name, client }) => `\n${name} ${client.isConnected} ${client.events.length} of ${crowd.published.get(name).length} events, at ${client.cursor}, ${JSON.stringify(client.events.at(-1))}`).join('')
    throw error
  })
  return crowd.clients.flatMap(({ name, client }) => problemsOf(client.events, crowd.published.get(name)).map(problem => `${name}: ${problem}`))
}

/** Each value that was kept comes once and in order, and what is missing is where a gap is. */
function problemsOf (events, published) {
  const problems = []
  const order = new Map(published.map((data, index) => [data, index]))
  const lasts = new Map()
  const seen = new Set()
  let isGap = false
  for (const { event, data } of events) {
    if (event === 'chirp:gap') {
      isGap = true
      lasts.clear()
      continue
    }
    if (seen.has(data)) problems.push(`${data} came twice`)
    seen.add(data)
    if (data === 'end') continue
    if (!order.has(data)) problems.push(`${data} was not published`)
    const [by, n] = data.split(' ')
    const last = lasts.get(by)
    if (last !== undefined && Number(n) !== last + 1) problems.push(`${data} came after ${by} ${last}`)
    lasts.set(by, Number(n))
  }
  if (!isGap && events.at(-1)?.data !== 'end') problems.push('the end is missing')
  return problems
}

export const gapsOf = crowd => crowd.clients.reduce((count, { client }) => count + client.events.filter(({ event }) => event === 'chirp:gap').length, 0)
