// The requests of the engine to Redis, with answers as events and pages.
import { randomBytes } from 'node:crypto'
import type { Beat, Holding, Publication, StoredEvent } from '../channel/engine.js'
import { FST_CHIRP_ENGINE, FST_CHIRP_ID } from '../errors.js'
import { quote } from '../util/describe.js'
import type { RedisPage } from './follower.js'
import { keysOf, type TopicKeys } from './keys.js'
import type { RedisSettings } from './options.js'
import { Runner, type ScriptClient } from './runner.js'
import { SCRIPTS } from './scripts.js'
import { toBody, toEvent, toPosition } from './wire.js'

// Pages that are asked for without a limit have one: it is more than a log can hold.
const MAX_LIMIT = 2 ** 31 - 1

export interface StoreOptions {
  keyPrefix: string
  db: number
  /** The client of now; it may throw. */
  client (): ScriptClient
}

export class Store {
  readonly #settings: RedisSettings
  readonly #keyPrefix: string
  readonly #db: number
  readonly #runner: Runner

  constructor (settings: RedisSettings, { keyPrefix, db, client }: StoreOptions) {
    this.#settings = settings
    this.#keyPrefix = keyPrefix + settings.prefix
    this.#db = db
    this.#runner = new Runner(client)
  }

  keysOf (topic: string): TopicKeys {
    return keysOf(this.#keyPrefix, this.#db, topic)
  }

  /** Its text, which is made before it waits for anything. @throws FST_CHIRP_ENGINE for one that is too large. */
  bodyOf (publication: Pick<Publication, 'record' | 'audience'>): string {
    const body = toBody(publication)
    const bytes = Buffer.byteLength(body)
    const { maxEventBytes } = this.#settings
    if (bytes <= maxEventBytes) return body
    throw new FST_CHIRP_ENGINE('publish()', `the event has ${bytes} bytes, and option "maxEventBytes" of redisEngine() allows ${maxEventBytes}. Send less, or where it can be fetched`)
  }

  /** Sends it in the same tick. */
  async publish (topic: string, body: string, { record, audience, history, latest = false, ttl = 0, key = '', removes }: Publication): Promise<StoredEvent> {
    const { keys, channel } = this.keysOf(topic)
    const { id: own } = record
    const brought = own === undefined ? '' : `=${own}`
    const values = !latest ? '' : removes === true ? 'remove' : 'set'
    const [epoch, id, previous] = await this.#runner.run(SCRIPTS.publish, keys, createEpoch(), this.#settings.idle, channel, body, brought,
      audience === undefined ? '' : JSON.stringify(audience), history, ttl, values, key) as string[]
    if (id === undefined) {
      throw new FST_CHIRP_ID(quote(own!), epoch === 'taken' ? 'an event of the history has it' : 'it reads like a position of this channel')
    }
    return { ...toEvent(epoch!, id, previous!, '{}'), record, audience }
  }

  async read (topic: string, after: string, limit: number): Promise<RedisPage> {
    const { keys } = this.keysOf(topic)
    const [epoch, last, history, ttl, start, audience, ...fields] = await this.#runner.run(SCRIPTS.read, keys, createEpoch(), this.#settings.idle,
      after, Math.min(limit, MAX_LIMIT)) as string[]
    const page: RedisPage = {
      from: start === '' ? undefined : toPosition(epoch!, start!),
      entries: [],
      last: toPosition(epoch!, last!),
      audience: audience === '' ? undefined : JSON.parse(audience!),
      history: Number(history),
      ttl: Number(ttl),
      sizes: []
    }
    for (let n = 0; n < fields.length; n += 3) {
      page.entries.push(toEvent(epoch!, fields[n]!, fields[n + 1]!, fields[n + 2]!))
      page.sizes.push(fields[n + 2]!.length)
    }
    return page
  }

  async hold (topic: string, body: string, { owner, key, record, removes }: Holding): Promise<StoredEvent> {
    const { keys, alive, channel } = this.keysOf(topic)
    const [epoch, id, previous] = await this.#runner.run(SCRIPTS.hold, [...keys, alive], createEpoch(), this.#settings.idle, channel, body, '', '', 0, 0,
      removes === true ? 'remove' : 'set', `${owner} ${key}`, owner) as string[]
    return { ...toEvent(epoch!, id!, previous!, '{}'), record }
  }

  async beat (topic: string, silence: number, owner = ''): Promise<Beat> {
    const { keys, alive } = this.keysOf(topic)
    const [isKnown, ...silent] = await this.#runner.run(SCRIPTS.beat, [...keys, alive], createEpoch(), this.#settings.idle, silence, owner) as string[]
    return { isKnown: isKnown === '1', silent }
  }

  async evict (topic: string, silence: number, owner: string, record: StoredEvent['record']): Promise<StoredEvent | undefined> {
    const { keys, alive, channel } = this.keysOf(topic)
    const [epoch, id, previous] = await this.#runner.run(SCRIPTS.evict, [...keys, alive], createEpoch(), this.#settings.idle, channel,
      toBody({ record, audience: undefined }), '', '', 0, 0, 'evict', owner, silence) as string[]
    return id === undefined ? undefined : { ...toEvent(epoch!, id, previous!, '{}'), record }
  }

  /** The values of a topic, oldest first, and the newest position that they take into account. */
  async latest (topic: string): Promise<{ events: StoredEvent[], last: string }> {
    const { keys } = this.keysOf(topic)
    const [epoch, last, ...values] = await this.#runner.run(SCRIPTS.latest, keys, createEpoch(), this.#settings.idle) as string[]
    const events = values.map(value => {
      const [, id, previous, body] = /^(\S+) (\S+) (.*)$/s.exec(value)!
      return { event: toEvent(epoch!, id!, previous!, body!), count: Number(id!.slice(id!.indexOf('-') + 1)) }
    })
    events.sort((a, b) => a.event.time! - b.event.time! || a.count - b.count)
    return { events: events.map(({ event }) => event), last: toPosition(epoch!, last!) }
  }
}

// Used where Redis does not know the topic yet. Of all topics of all times no two may have the same one.
function createEpoch (): string {
  return randomBytes(8).readBigUInt64BE().toString(36)
}
