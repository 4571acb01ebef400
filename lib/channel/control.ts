// The messages between registrations that share an engine: the streams that
// have to be closed. An engine of one process needs none.
import { randomUUID } from 'node:crypto'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_ENGINE } from '../errors.js'
import { OWN_EVENTS } from '../sse/own.js'
import type { Others } from '../stream/event-streams.js'
import { checkKey } from '../stream/keys.js'
import { settled } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import { Backoff } from './backoff.js'
import type { ChannelEngine, StoredEvent } from './engine.js'
import { CONTROL_TOPIC } from './topics.js'

/** The format of the messages. */
const VERSION = 1
// Missed messages are read again, at most so many.
const HISTORY = 100
// Milliseconds that a message is waited for. One that is late was lost, and is read again.
const HEARD_LIMIT = 1000

interface Message { version: number, from: string, close: string }

export class Control implements Others {
  readonly #engine: ChannelEngine
  readonly #closeKey: (key: string) => void
  readonly #report: (error: unknown, message: string) => void
  readonly #id = randomUUID()
  readonly #stopListening: () => void
  #last: string | undefined
  readonly #backoff = new Backoff()
  #retry: NodeJS.Timeout | undefined
  #isClosed = false
  // The calls whose own message has not come back yet, in their order.
  readonly #awaited = new Set<() => void>()

  /** @param closeKey what is done when another registration closes a key. */
  constructor (engine: ChannelEngine, closeKey: (key: string) => void, report: (error: unknown, message: string) => void) {
    this.#engine = engine
    this.#closeKey = closeKey
    this.#report = report
    this.#stopListening = engine.listen(CONTROL_TOPIC, event => this.#receive(event))
    this.#begin()
  }

  get isReady (): boolean {
    return this.#engine.ready !== false
  }

  async closeKey (key: string): Promise<void> {
    const data = JSON.stringify({ version: VERSION, from: this.#id, close: key } satisfies Message)
    let hear!: () => void
    const heard = new Promise<void>(resolve => { hear = resolve })
    this.#awaited.add(hear)
    try {
      await this.#engine.publish(CONTROL_TOPIC, { record: { data }, audience: undefined, history: HISTORY })
      // An engine tells of events in the order of their publication.
      await settled(heard, HEARD_LIMIT)
    } finally {
      this.#awaited.delete(hear)
    }
  }

  close (): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#stopListening()
  }

  /** A read waits until the engine listens, and makes it try again. */
  async #begin (): Promise<void> {
    try {
      const { last } = await this.#engine.read(CONTROL_TOPIC, '', 0)
      this.#last ??= last
    } catch {
      // The engine has reported it. A process that does not listen would keep the streams of users that have signed out.
      if (!this.#isClosed) this.#retry = setTimeout(() => this.#begin(), this.#backoff.next()).unref()
    }
  }

  #receive ({ position, previous, record }: StoredEvent): void {
    if (this.#last !== undefined && previous !== this.#last) this.#catchUp(this.#last)
    this.#last = position
    this.#obey(record)
  }

  /** The engine has lost messages after a position. Closing a closed stream again does nothing. */
  async #catchUp (after: string): Promise<void> {
    try {
      const { from, entries } = await this.#engine.read(CONTROL_TOPIC, after, HISTORY)
      if (from === undefined) throw new FST_CHIRP_ENGINE('listen()', 'it lost what other processes have closed')
      for (const { record } of entries) this.#obey(record)
    } catch (error) {
      this.#report(error, 'streams that another process has closed may still be open')
    }
  }

  #obey (record: EventRecord): void {
    // A message that cannot be read was reported, and is a gap.
    if (record.event === OWN_EVENTS.gap) return
    try {
      const { from, close } = read(record.data)
      if (from !== this.#id) return this.#closeKey(close)
      // The first one that waits: the messages have the order of the calls.
      const [hear] = this.#awaited
      if (hear !== undefined) {
        this.#awaited.delete(hear)
        hear()
      }
    } catch (error) {
      this.#report(new FST_CHIRP_ENGINE('listen()', `a message of topic "${CONTROL_TOPIC}" cannot be read: ${messageOf(error)}`, { cause: error }), 'a request of another process was not carried out')
    }
  }
}

function read (data: unknown): Message {
  const message = JSON.parse(String(data)) as Message
  if (message.version !== VERSION) throw new TypeError(`its version is not ${VERSION}`)
  checkKey('its key', message.close)
  return message
}
