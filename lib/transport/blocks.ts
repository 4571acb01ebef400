// What compressed connections send. A text is compressed once for all that get it, and that have got the same before.
import type { SharedBytes, SharedFrames } from '../sse/frame.js'
import { deflate, MIN_SIZE, sumOf, type Sum } from './gzip.js'

// Bytes that a text may refer to: what was sent right before it, as far as deflate can look back, and if that is little
// also what was before. Each stream that shares nothing keeps as many.
const FARTHEST = 32768
const WINDOW = 8192

// Texts that are remembered, because many clients come back with the same cursor.
const RECENT = 16
const MAX_LENGTH = 131072

let ids = 0

/** What the next text may refer to. Connections keep it, and so it keeps neither the text nor its compressed forms. */
export class Mark {
  readonly id = ++ids
  /** The end of the text, behind what most connections got before it. */
  window: Buffer
  readonly #size: number

  constructor (plain: Buffer) {
    this.window = tail(plain, FARTHEST)
    this.#size = this.window.length
  }

  /** The end of the text alone. */
  get end (): Buffer {
    return this.window.subarray(this.window.length - this.#size)
  }

  follows ({ window }: Mark): void {
    if (this.#size < WINDOW) this.window = Buffer.concat([window.subarray(Math.max(0, window.length - WINDOW + this.#size)), this.window])
  }
}

/** A text, and its compressed forms. */
export class Block {
  readonly plain: Buffer
  readonly sum: Sum
  readonly mark: Mark
  // Only its number: else all that was ever sent would hang together.
  #previous = 0
  /** What most connections got right before it. */
  #window: Buffer | undefined
  #alone: SharedBytes | undefined
  #afterOne: SharedBytes | undefined
  #afterMany: SharedBytes | undefined

  constructor (text: string) {
    this.plain = Buffer.from(text)
    this.sum = sumOf(this.plain)
    this.mark = new Mark(this.plain)
  }

  /** Whether it comes after `last` on most connections. The first one that asks tells what it comes after. */
  follows (last: Mark): boolean {
    if (this.#previous === 0) {
      this.#previous = last.id
      this.#window = last.window
      this.mark.follows(last)
    }
    return this.#previous === last.id
  }

  /** For any connection. */
  get alone (): SharedBytes {
    this.#alone ??= toBytes(deflate(this.plain, undefined))
    return this.#alone
  }

  /** For a connection where it {@link follows} `last`, the newest of `known` bytes that others got in the same order. */
  after (last: Mark, known: number): SharedBytes {
    const window = this.#window!
    if (known >= window.length) {
      this.#afterMany ??= toBytes(deflate(this.plain, window))
      return this.#afterMany
    }
    this.#afterOne ??= toBytes(deflate(this.plain, last.end))
    return this.#afterOne
  }
}

/** A copy where it is a part: that would keep the whole. */
function tail (bytes: Buffer, size: number): Buffer {
  return bytes.length <= size ? bytes : Buffer.from(bytes.subarray(bytes.length - size))
}

function toBytes (bytes: Buffer): SharedBytes {
  // https://www.rfc-editor.org/rfc/rfc9112#section-7.1
  const head = `${bytes.length.toString(16)}\r\n`
  const chunk = Buffer.allocUnsafeSlow(head.length + bytes.length + 2)
  chunk.write(head, 'latin1')
  bytes.copy(chunk, head.length)
  chunk.write('\r\n', head.length + bytes.length, 'latin1')
  return { text: chunk.subarray(head.length, -2), size: bytes.length, chunk }
}

const shared = new WeakMap<SharedFrames, Block>()

/** The block of frames that many connections get. */
export function blockOf (frames: SharedFrames): Block {
  let block = shared.get(frames)
  if (block === undefined) {
    block = new Block(frames.text)
    shared.set(frames, block)
  }
  return block
}

/** The blocks of texts that were sent to one connection each, while the same may go to others. */
export class RecentBlocks {
  readonly #blocks = new Map<string, Block>()
  // Heartbeats: one block that is the same after any text would hide that text from the next event.
  readonly #short = new Map<string, Block>()

  of (text: string, last: Mark | undefined): Block {
    if (text.length < MIN_SIZE && last !== undefined) return remembered(this.#short, `${last.id} ${text}`, text)
    return remembered(this.#blocks, text, text)
  }
}

function remembered (blocks: Map<string, Block>, key: string, text: string): Block {
  const known = blocks.get(key)
  if (known !== undefined) return known
  const block = new Block(text)
  if (text.length > MAX_LENGTH) return block
  // The oldest goes.
  if (blocks.size === RECENT) blocks.delete(blocks.keys().next().value!)
  blocks.set(key, block)
  return block
}
