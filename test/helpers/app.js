import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import v8 from 'node:v8'
import vm from 'node:vm'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { isBefore } from './fastify.js'

v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc')

/** An app with the plugin that closes with the test; `log` collects its log lines. Its streams start with the shortest frame. */
export async function buildApp (t, options = {}, fastifyOptions = {}) {
  const log = []
  const stream = { write: line => { log.push(JSON.parse(line)) } }
  const app = Fastify({ logger: { level: 'info', stream }, forceCloseConnections: true, ...fastifyOptions })
  app.log.lines = log
  t.teardown(() => app.close())
  if (fastifyOptions.http2 && isBefore('5.7.0')) leaveSessions(t, app)
  app.addHook('preClose', async () => { closing.add(app) })
  await app.register(chirp, { debug: false, retry: false, ...await engineOfRun(), ...options })
  return app
}

/** Ends the HTTP/2 sessions with the test: before 5.7 Fastify waits a minute for clients that keep theirs. */
function leaveSessions (t, app) {
  const sessions = []
  app.server.on('session', session => sessions.push(session))
  t.teardown(() => { for (const session of sessions) session.destroy() })
}

/** Where a file is run once more on Redis (test/redis/same.test.js): an engine with topics of its own. */
async function engineOfRun () {
  const url = process.env.CHIRP_TEST_REDIS
  if (url === undefined) return undefined
  const { redisEngine } = await import('fastify-chirp/redis')
  return { engine: redisEngine({ url, prefix: `${randomUUID()}:`, lazy: true }) }
}

/** Waits until `condition` holds, or what it promises; only what hangs takes longer than `timeout`. */
export async function until (condition, what = String(condition), timeout = 30000) {
  const deadline = Date.now() + timeout
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/**
 * Waits for silence: for as long as it takes until what must not happen would
 * have happened. On a slow machine it proves less, and it cannot fail there. Who
 * waits for something that does happen waits until it has, with `until()`.
 */
export function quiet (milliseconds) {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** The value of `read`, not 0, once it has not changed for a while. */
export async function settled (read) {
  for (let last = 0; ; last = read()) {
    await quiet(100)
    if (last !== 0 && read() === last) return last
  }
}

const closing = new WeakSet()

/** Whether an app of `buildApp()` has begun to close: the plugin is told right after this. */
export const isClosing = app => closing.has(app)

/** The port that an app listens on; it starts to listen if it does not yet. */
export async function listen (app) {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

/** A promise that never settles. */
export const never = new Promise(() => {})

/** A self-signed certificate for localhost. */
export function certificate () {
  const read = name => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
  return { key: read('key'), cert: read('cert') }
}

/** Bytes of heap in use after a full collection. */
export function heapUsed () {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
