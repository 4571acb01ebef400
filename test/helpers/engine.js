// An engine that takes its time, and the contract suite for tap.
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { testEngine as testWith } from 'fastify-chirp/testing/engine'
import { MemoryEngine } from '../../dist/channel/memory.js'

/**
 * The engine of one process with the delays of one over a network: every verb
 * waits for a while, and order is kept. A listener hears of an event before its
 * publisher does, but `lag` lets it hear later than a reader can read it.
 */
export class AsyncEngine {
  #engine = new MemoryEngine()
  #values = new Map()
  // When each owner was heard of, by topic; undefined is anybody.
  #alive = new Map()
  #random
  #lag
  #published = Promise.resolve()
  #told = Promise.resolve()

  constructor ({ random = Math.random, lag = false } = {}) {
    this.#random = random
    this.#lag = lag
  }

  open (channel) {
    return this.#engine.open(channel)
  }

  forget (topic) {
    this.#engine.forget(topic)
    this.#values.delete(topic)
  }

  publish (topic, publication) {
    const published = this.#published.then(async () => {
      await this.#delay()
      const event = this.#engine.publish(topic, publication)
      if (publication.latest) this.#keep(topic, publication, event)
      return event
    })
    this.#published = published.catch(() => {})
    return published.then(async entry => {
      await this.#delay()
      return entry
    })
  }

  async latest (topic) {
    await this.#delay()
    const values = [...this.#values.get(topic)?.values() ?? []].filter(({ event, ttl }) => ttl === undefined || Date.now() - event.time < ttl)
    await this.#told
    await this.#delay()
    return values.map(({ event }) => event)
  }

  hold (topic, { owner, key, record, removes }) {
    if (!removes) this.#aliveIn(topic).set(owner, Date.now())
    return this.publish(topic, { record, audience: undefined, history: 0, latest: true, key: `${owner} ${key}`, removes })
  }

  async beat (topic, silence, owner) {
    await this.#delay()
    const alive = this.#aliveIn(topic)
    const now = Date.now()
    if (!(now - alive.get(undefined) <= silence / 2)) for (const name of alive.keys()) alive.set(name, now)
    alive.set(undefined, now)
    const isKnown = alive.has(owner) && owner !== undefined
    if (isKnown) alive.set(owner, now)
    await this.#delay()
    return { isKnown, silent: [...alive.keys()].filter(name => name !== undefined && alive.get(name) <= now - silence) }
  }

  async evict (topic, silence, owner, record) {
    await this.#delay()
    const alive = this.#aliveIn(topic)
    if (!(alive.get(owner) <= Date.now() - silence)) return undefined
    alive.delete(owner)
    const values = this.#values.get(topic)
    const keys = [...values.keys()].filter(key => key.startsWith(`${owner} `))
    if (keys.length === 0) return undefined
    for (const key of keys) values.delete(key)
    return this.publish(topic, { record, audience: undefined, history: 0, latest: true, key: `${owner} `, removes: true })
  }

  /** Takes an owner for one that was not heard of for long. */
  silence (topic, owner) {
    this.#aliveIn(topic).set(owner, 0)
  }

  #aliveIn (topic) {
    if (!this.#alive.has(topic)) this.#alive.set(topic, new Map())
    return this.#alive.get(topic)
  }

  #keep (topic, { key, removes, ttl }, event) {
    if (!this.#values.has(topic)) this.#values.set(topic, new Map())
    const values = this.#values.get(topic)
    values.delete(key)
    if (!removes) values.set(key, { event, ttl })
  }

  async read (topic, after, limit) {
    await this.#delay()
    const page = this.#engine.read(topic, after, limit)
    await this.#delay()
    return page
  }

  listen (topic, listener) {
    if (!this.#lag) return this.#engine.listen(topic, listener)
    let isStopped = false
    const stop = this.#engine.listen(topic, entry => {
      this.#told = this.#told.then(async () => {
        await this.#delay()
        if (!isStopped) listener(entry)
      })
    })
    return () => {
      isStopped = true
      stop()
    }
  }

  async close () {
    await this.#delay()
    this.#engine.close()
  }

  async #delay () {
    const chance = this.#random()
    if (chance < 0.4) return
    if (chance < 0.8) await turn()
    else await wait(Math.floor(chance * 20) - 15)
  }
}

/** The contract suite for an engine; `create` gives a new one, empty, or a promise of it. */
export function testEngine (t, name, create) {
  const test = (title, run) => t.test(`${name}: ${title}`, async t => {
    await run()
    t.pass()
  })
  testWith({ test, create })
}

/** An engine in memory, with other methods. */
export function engineWith (methods) {
  const memory = new MemoryEngine()
  return {
    publish: (...given) => memory.publish(...given),
    read: (...given) => memory.read(...given),
    listen: (...given) => memory.listen(...given),
    close () {},
    ...methods
  }
}
