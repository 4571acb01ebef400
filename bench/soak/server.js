// The app of the soak: a route for each kind of stream, and a publisher that never gives up.
import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Fastify from 'fastify'
import chirp, { Fragment, SSEEvent, merge } from 'fastify-chirp'
import { redisEngine } from 'fastify-chirp/redis'
import nunjucks from 'nunjucks'
import { LISTEN, meter } from '../lib/meter.js'
import { views } from './views.js'

const { SOAK_REDIS } = process.env
const USERS = 5
const VALUES = 10
// Longer than what is published while a client is away; the warm-up fills it.
const HISTORY = 2_000

const errors = []
const logger = {
  level: 'warn',
  stream: { write: (line) => { const { level, msg, err } = JSON.parse(line); if (level >= 50) errors.push(`${msg}: ${err?.message}`) } }
}
const loader = { async: false, getSource: (name) => ({ src: views[name], path: name, noCache: false }) }
const app = Fastify({ logger, forceCloseConnections: true })
await app.register(chirp, {
  templates: new nunjucks.Environment(loader),
  retry: false,
  compress: true,
  maxBuffer: 65536,
  writeTimeout: 5000,
  engine: SOAK_REDIS === undefined ? undefined : redisEngine({ url: SOAK_REDIS, commandTimeout: 1000 })
})

const channels = {
  events: app.channel('events', { history: HISTORY }),
  html: app.channel('html', { history: HISTORY }),
  values: app.channel('values', { latest: true }),
  audience: app.channel('audience', { history: HISTORY }),
  viewer: app.channel('viewer', { history: HISTORY, viewer: true })
}
// The number of the newest publication of each kind, or of each user, or value.
const newest = {}
const board = app.liveView('board', { template: 'board.html', delay: 20, context: async () => ({ seq: newest.live ?? 0 }) })
const bell = app.signal('bell', { initial: 0, render: (value) => new Fragment('bell.html', 'bell', { value }) })

app.get('/events', { live: true }, () => channels.events)
app.get('/html', { live: true }, () => channels.html)
app.get('/values', { live: true }, () => channels.values)
app.get('/merge', { live: true }, () => merge(channels.events, channels.values))
app.get('/audience', { live: true }, ({ query }) => channels.audience.subscribe({ filter: ({ user }) => user === query.user }))
app.get('/viewer', { live: true }, ({ query }) => channels.viewer.subscribe({ viewer: { user: query.user } }))
app.get('/live', { live: true }, (request, reply) => reply.live(board, 'one'))
app.get('/signal', { live: true }, () => app.signals())
app.get('/pull', { live: true }, (request, reply) => reply.eventStream(async function * ({ lastEventId, signal }) {
  for (let seq = Number(lastEventId || newest.pull || 0); !signal.aborted; await sleep(100)) {
    while (seq < (newest.pull ?? 0)) yield new SSEEvent({ id: String(++seq), data: `seq=${seq};` })
  }
}))

let published = 0
let retried = 0

/** Publishes until it is kept. What a failed publication became is unknown: by its id it is found out. */
async function keep (channel, value, options) {
  for (;;) {
    try {
      await channel.publish(value, options)
      published++
      return
    } catch (error) {
      if (error.code === 'FST_CHIRP_ID') return
      if (error.code !== 'FST_CHIRP_ENGINE') throw error
      retried++
      await sleep(100)
    }
  }
}

const next = (name) => { newest[name] = (newest[name] ?? 0) + 1; return newest[name] }

const steps = {
  events: () => { const seq = next('events'); return keep(channels.events, new SSEEvent({ id: `e${seq}`, data: `seq=${seq};` })) },
  html: () => { const seq = next('html'); return keep(channels.html, new Fragment('row.html', 'row', { seq }, { target: 'rows', id: `h${seq}` })) },
  values: () => {
    const event = `v${published % VALUES}`
    const seq = next(event)
    return keep(channels.values, new SSEEvent({ event, data: `seq=${seq};` }))
  },
  audience: () => {
    const user = `u${published % USERS}`
    const seq = next(`audience ${user}`)
    return keep(channels.audience, new SSEEvent({ id: `${user}.${seq}`, data: `seq=${seq};` }), { audience: { user } })
  },
  viewer: () => { const seq = next('viewer'); return keep(channels.viewer, new Fragment('own.html', 'own', { seq }, { target: 'own', id: `w${seq}` })) },
  live: async () => { next('live'); await board.changed('one', ['seq']).catch(expectEngine) },
  signal: () => bell.set(next('signal')).catch(expectEngine),
  pull: async () => { next('pull') }
}

// Views and signals have no id to try again with: their next change says the same.
function expectEngine (error) {
  if (error.code !== 'FST_CHIRP_ENGINE') throw error
}

let publishing = new AbortController()
const failures = []
let running = []

/** One kind, in order; a burst now and then. */
async function publishKind (name, rate, signal) {
  for (let turn = 0; !signal.aborted; turn++) {
    for (let left = turn % 20 === 19 ? 20 : 1; left > 0; left--) await steps[name]()
    await sleep(1000 / rate)
  }
}

// In one go, which the followers take in.
const PART = 10
const followers = []

/** A client of each kind of bytes: what is published while the histories are filled is kept here as it is later. */
async function follow () {
  const users = Array.from({ length: USERS }, (_, n) => `u${n}`)
  const paths = ['/events', '/html', '/merge', ...users.flatMap((user) => [`/audience?user=${user}`, `/viewer?user=${user}`])]
  for (const path of paths) {
    for (const encoding of ['gzip', 'identity']) {
      const { port } = app.server.address()
      const request = http.get({ host: '127.0.0.1', port, path, agent: false, headers: { accept: 'text/event-stream', 'accept-encoding': encoding } })
      request.on('error', () => {})
      followers.push(request)
      const [response] = await once(request, 'response')
      response.on('error', () => {}).resume()
    }
  }
}

let delay = monitorEventLoopDelay({ resolution: 5 })

// All may come back at once while this process stands still: a client that finds the queue full tries again after up to two minutes.
await app.listen({ ...LISTEN, backlog: 4096 })
meter(app.server, {
  /** Fills the histories, so that what comes later takes no more memory. */
  async fill () {
    await follow()
    for (let n = 0; n < HISTORY; n += PART) {
      await Promise.all(['events', 'html', 'viewer'].flatMap((name) => Array.from({ length: PART }, steps[name])))
      await Promise.all(Array.from({ length: PART }, steps.audience))
    }
  },

  publish ({ rate }) {
    for (const request of followers.splice(0)) request.destroy()
    publishing = new AbortController()
    delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    running = Object.keys(steps).map((name) => publishKind(name, rate, publishing.signal).catch((error) => { failures.push(`${name}: ${error.stack}`) }))
  },

  /** Stops publishing; gives the newest number of everything. */
  async pause () {
    publishing.abort()
    await Promise.all(running)
    delay.disable()
    // What was told while the engine was away may not have been heard.
    await steps.live()
    await steps.signal()
    return newest
  },

  figures () {
    const { total, dropped, open } = app.eventStreams
    return {
      published,
      retried,
      total,
      dropped,
      open,
      errors: errors.splice(0),
      failures: failures.splice(0),
      delay: { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }
    }
  }
})
