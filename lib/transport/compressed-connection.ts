// A connection whose bytes are compressed with gzip: one header, then the blocks of what is sent, then the trailer. What
// many get is compressed once. What waits, and what is counted, are compressed bytes.
import type { SharedBytes, SharedFrames } from '../sse/frame.js'
import { blockOf, type Block, type Mark } from './blocks.js'
import { Connection } from './connection.js'
import { addSum, HEADER, trailer } from './gzip.js'

export class CompressedConnection extends Connection {
  #last: Mark | undefined
  // How many bytes, up to the end of the last block, were sent to other connections in the same order.
  #known = 0
  #sum = 0
  #size = 0

  override share (frames: SharedFrames, events: number): void {
    // What was added comes first, and these may refer to it.
    this.flush()
    super.share(this.#next(blockOf(frames)), events)
  }

  /** Each connection has its own place in the text that was sent. */
  override get isIdle (): boolean {
    return false
  }

  protected override write (frames: string): void {
    const isFirst = this.#last === undefined
    const { text } = this.#next(this.app.blocks.of(frames, this.#last))
    this.#pass(isFirst ? Buffer.concat([HEADER, text as Uint8Array]) : text as Uint8Array)
  }

  protected override finish (): void {
    this.#pass(trailer(this.#sum, this.#size))
  }

  #pass (bytes: Uint8Array): void {
    if (this.mayWrite(bytes.length)) this.pass(bytes)
  }

  /** What is sent of a block that comes now. */
  #next (block: Block): SharedBytes {
    const last = this.#last
    const { plain, sum } = block
    let bytes: SharedBytes
    if (last !== undefined && block.follows(last)) {
      bytes = block.after(last, this.#known)
      this.#known += plain.length
    } else {
      bytes = block.alone
      this.#known = plain.length
    }
    this.#last = block.mark
    this.#sum = addSum(this.#sum, sum)
    this.#size = (this.#size + plain.length) % 2 ** 32
    return bytes
  }
}
