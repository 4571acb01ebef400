// An engine over PostgreSQL, written against the public interface alone: tables keep the events, and NOTIFY says
// that there is something to read. Commits with NOTIFY wait for each other, so thousands of events a second need Redis.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'

const SCHEMA = readFileSync(new URL('schema.sql', import.meta.url), 'utf8')
const READ = 'SELECT t.*, r.* FROM chirp_topic t, chirp_read(t, $2, $3) r WHERE t.topic = $1'
const NEWS = `SELECT t.epoch, t.last, e.seq, e.time, e.body FROM chirp_topic t
  LEFT JOIN chirp_event e ON e.topic = t.topic AND e.seq > $2 WHERE t.topic = $1 ORDER BY e.seq LIMIT 500`
const VALUES = `SELECT t.epoch, v.seq, v.time, v.body FROM chirp_value v JOIN chirp_topic t ON t.topic = v.topic
  WHERE v.topic = $1 AND (t.ttl IS NULL OR v.time > chirp_now() - t.ttl) ORDER BY v.seq`

/** @import { Engine } from 'fastify-chirp' */
/** @implements {Engine} */
export class PostgresEngine {
  #options
  #client
  #asked = Promise.resolve()
  #statuses = new Set()
  #followers = new Map()
  #isClosed = false

  /** @param {import('pg').ClientConfig} options where PostgreSQL is */
  constructor (options) {
    this.#options = { connectionTimeoutMillis: 5000, query_timeout: 5000, keepAlive: true, ...options }
  }

  get ready () { return this.#client !== undefined }

  async start (status) {
    if (!this.ready) await this.#open()
    this.#statuses.add(status)
  }

  async publish (topic, { record, audience, history, latest, ttl, key, removes }) {
    const body = JSON.stringify({ record, audience })
    const values = [nameOf(topic), body, latest ? null : record.id, history, ttl, latest && key !== undefined ? nameOf(key) : null, removes === true]
    const [{ epoch, last, time }] = await this.#query('SELECT * FROM chirp_publish($1, $2, $3, $4, $5, $6, $7)', values).catch(error => {
      throw error.code === 'CHID0' ? Object.assign(new Error(`the id ${record.id} is taken`), { code: 'FST_CHIRP_ID' }) : error
    })
    return eventOf(epoch, { seq: last, time, body })
  }

  async read (topic, after, limit) {
    const { epoch, last, start, brought, events } = await this.#readRow(nameOf(topic), after, limit)
    const entries = (events ?? []).map(row => eventOf(epoch, row))
    return { from: start === null ? undefined : `${epoch}-${start}`, entries, last: `${epoch}-${last}`, audience: JSON.parse(brought)?.audience }
  }

  async listen (topic, hear, lost) {
    const name = nameOf(topic)
    const follower = this.#followers.get(name) ?? { listeners: new Set(), reading: Promise.resolve() }
    this.#followers.set(name, follower)
    const listener = { hear () {}, lost () {} } // of what was published before
    follower.listeners.add(listener)
    const stop = () => {
      if (follower.listeners.delete(listener) && follower.listeners.size === 0) this.#followers.delete(name)
    }
    const started = this.#catchUp(name)
    started.catch(stop)
    await started
    Object.assign(listener, { hear, lost })
    return stop
  }

  async latest (topic) {
    const values = await this.#query(VALUES, [nameOf(topic)])
    await this.#catchUp(nameOf(topic))
    return values.map(row => eventOf(row.epoch, row))
  }

  async close () {
    this.#isClosed = true
    this.#followers.clear()
    await this.#client?.end().catch(() => {})
  }

  /** One after the other, so that events have the order of the calls. */
  #query (text, values) {
    const asked = this.#asked.then(() => this.#ask(text, values))
    this.#asked = asked.catch(() => {})
    return asked
  }

  async #ask (text, values) {
    const client = this.#client
    if (client === undefined) throw new Error('PostgreSQL is out of reach')
    return client.query(text, values).then(({ rows }) => rows, error => {
      // An error without a state is none of the server's. The answer may never come, so the connection is of no use.
      if (error.code === undefined) this.#lose(client, error)
      throw error
    })
  }

  /** What chirp_read() gives, of a topic that is made if need be: its start is a cursor too. */
  async #readRow (name, after, limit) {
    const [row] = await this.#query(READ, [name, after, limit])
    if (row !== undefined) return row
    await this.#query('INSERT INTO chirp_topic (topic, time) VALUES ($1, chirp_now()) ON CONFLICT DO NOTHING', [name])
    return this.#readRow(name, after, limit)
  }

  /** Reads all that was published before this call, and tells the listeners. Calls that wait for a read share the next one. */
  #catchUp (name) {
    const follower = this.#followers.get(name)
    if (follower === undefined) return
    const read = () => (follower.reading = this.#readNews(name, follower))
    return (follower.waiting ??= follower.reading.then(read, read))
  }

  async #readNews (name, follower) {
    follower.waiting = undefined
    for (let rows; rows === undefined || rows.length === 500;) {
      rows = follower.epoch === undefined ? [] : await this.#query(NEWS, [name, follower.seq])
      if (rows.length === 0 || rows[0].epoch !== follower.epoch) {
        // It begins, or the tables have lost what they had.
        const { epoch, last } = await this.#readRow(name, '', 0)
        if (follower.epoch !== undefined) for (const { lost } of follower.listeners) lost?.(`${follower.epoch}-${follower.seq}`, `${epoch}-${last}`)
        return Object.assign(follower, { epoch, seq: last })
      }
      for (const row of rows) {
        if (row.seq === null) return
        follower.seq = row.seq
        for (const { hear } of follower.listeners) hear(eventOf(row.epoch, row))
      }
    }
  }

  async #open () {
    const client = new pg.Client(this.#options)
    client.on('error', error => this.#lose(client, error))
    client.on('end', () => this.#lose(client, new Error('the connection has ended')))
    client.on('notification', ({ payload }) => { this.#catchUp(payload)?.catch(() => {}) })
    // One process at a time: CREATE IF NOT EXISTS fails when two do it at once.
    const start = `BEGIN; SELECT pg_advisory_xact_lock(hashtext('chirp')); ${SCHEMA} COMMIT; LISTEN chirp`
    const started = client.connect().then(() => client.query(start))
    started.catch(() => client.end()).catch(() => {})
    await started
    if (this.#isClosed || this.#client !== undefined) return client.end()
    this.#client = client
    // One that cannot be read now has lost its connection, or is read with its next event.
    await Promise.allSettled([...this.#followers.keys()].map(name => this.#catchUp(name)))
    if (this.#client === client) for (const status of this.#statuses) status.works()
  }

  async #lose (client, error) {
    if (client !== this.#client) return
    this.#client = undefined
    client.end().catch(() => {})
    if (!this.#isClosed) for (const status of this.#statuses) status.failed(error)
    for (let pause = 100; !this.#isClosed && this.#client === undefined; pause = Math.min(2 * pause, 5000)) {
      await wait(pause, undefined, { ref: false })
      await this.#open().catch(() => {})
    }
  }
}

/** Names may be of any length and have any characters; those of PostgreSQL may not. */
const nameOf = text => createHash('sha256').update(JSON.stringify(text)).digest('hex').slice(0, 40)
const eventOf = (epoch, { seq, time, body }) =>
  ({ position: `${epoch}-${seq}`, previous: `${epoch}-${BigInt(seq) - 1n}`, ...JSON.parse(body), time: Number(time) })
