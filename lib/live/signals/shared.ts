// The values that processes share through an engine, in the order that the
// engine gives them. What is set here counts here at once.
import type { Channel } from '../../channel/channel.js'
import { isBefore } from '../../channel/cursor.js'
import type { ReaderTarget } from '../../channel/target.js'
import type { EventRecord } from '../../dialects/record.js'
import { FST_CHIRP_ENGINE } from '../../errors.js'
import { keyOf, type Entry } from '../../message/entry.js'
import { messageOf } from '../../util/thrown.js'
import { valueOf } from './value.js'

/** The parts of the app that they need. */
export interface SharedHost {
  /** Takes over a value that another process has set. */
  apply (name: string, audience: unknown, value: unknown): void
  report (error: unknown, message: string): void
}

/** One value. */
interface Known {
  /** Of the newest one that counts. */
  position: string
  /** Number of values of this process that the engine has yet to take. */
  underWay: number
  /** Messages of that time, which may be older than these. */
  held: Entry | undefined
  /** Others have not got what was set here last. */
  isUntold: boolean
}

export class SharedValues {
  readonly #channel: Channel
  readonly #host: SharedHost
  readonly #known = new Map<string, Known>()

  constructor (channel: Channel, host: SharedHost) {
    this.#channel = channel
    this.#host = host
    channel.attach(this.#target(), '', () => true)
  }

  /** Resolves when it has heard what was set before this process started, or the engine cannot tell; never rejects. */
  async ready (): Promise<void> {
    await this.#channel.loaded()
  }

  /** Whether others have to be told of a value, although it is the same as before. */
  isUntold (name: string, audience: unknown): boolean {
    return this.#of(keyOf({ record: { key: name }, audience })).isUntold
  }

  /** Tells all processes of what was set here. @throws FST_CHIRP_* as a rejection. */
  async set (name: string, audience: unknown, text: string): Promise<void> {
    const record: EventRecord = { key: name, data: text }
    const known = this.#of(keyOf({ record, audience }))
    known.underWay++
    try {
      const position = await this.#channel.publish(record, { audience })
      if (!isBefore(position, known.position)) known.position = position
      known.isUntold = false
    } catch (error) {
      known.isUntold = true
      throw error
    } finally {
      const { held } = known
      if (--known.underWay === 0 && held !== undefined) {
        known.held = undefined
        this.#hear(held)
      }
    }
  }

  #of (key: string): Known {
    let known = this.#known.get(key)
    if (known === undefined) this.#known.set(key, known = { position: '', underWay: 0, held: undefined, isUntold: false })
    return known
  }

  #hear (entry: Entry): void {
    const { position, record, audience } = entry
    const known = this.#of(keyOf(entry))
    if (position === known.position || isBefore(position, known.position)) return
    if (known.underWay > 0) {
      known.held = entry
      return
    }
    try {
      const value = valueOf(record.data)
      known.position = position
      known.isUntold = false
      this.#host.apply(String(record.key), audience, value)
    } catch (error) {
      this.#host.report(new FST_CHIRP_ENGINE('listen()', `the value of a signal cannot be read: ${messageOf(error)}`, { cause: error }), 'a signal that another process has set keeps its value')
    }
  }

  // Its reports never wait.
  #target (): ReaderTarget {
    const failed = (error: unknown): void => { this.#host.report(error, 'signals may differ from those of other processes until they are set again') }
    return {
      isBlocked: false,
      window: Infinity,
      flush: nothing,
      whenDrained: nothing,
      pass: entries => { for (const entry of entries) this.#hear(entry) },
      tell: nothing,
      gap: () => { failed(new FST_CHIRP_ENGINE('listen()', 'it lost values of signals')) },
      ended: nothing,
      failed
    }
  }
}

async function nothing (): Promise<void> {}
