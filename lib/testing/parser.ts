// Reads an event stream for tests. The fields are read by eventsource-parser;
// this adds what a browser knows and that parser does not tell: the last event
// id after a block without data, which block a retry belongs to, and what a
// stream means whose last byte is a CR.
import { createParser } from 'eventsource-parser'

/** One event as a browser would dispatch it; `event`, `id` and `retry` are those of its own block. */
export interface ReceivedEvent {
  /** Its data; several lines are joined by LF. */
  data: string
  /** Its name, if it has one. */
  event?: string
  /** Its id, if it has one. */
  id?: string
  /** Reconnection time in milliseconds, if it has one. */
  retry?: number
}

/** The callbacks of a parser. */
export interface ParserCallbacks {
  onEvent (event: ReceivedEvent): void
  onComment (text: string): void
}

// Fed before each blank line, so that a block without data is reported too.
const MARK = '\u0000end of block'

export class EventStreamParser {
  /** The id that an EventSource would send back as Last-Event-ID. */
  lastEventId = ''
  /** The last reconnection time in milliseconds that the server asked for. */
  retry: number | undefined
  readonly #decoder = new TextDecoder()
  readonly #callbacks: ParserCallbacks
  readonly #parser = createParser({
    onEvent: block => this.#onBlock(block),
    onRetry: retry => {
      this.retry = retry
      this.#blockRetry = retry
    },
    onComment: text => this.#callbacks.onComment(text)
  })

  #blockRetry: number | undefined
  #line = ''
  #endsWithCr = false

  constructor (callbacks: ParserCallbacks) {
    this.#callbacks = callbacks
  }

  feed (chunk: Uint8Array): void {
    this.#feedText(this.#decoder.decode(chunk, { stream: true }))
  }

  /** Ends the input: an unfinished block is discarded. */
  end (): void {
    this.#feedText(this.#decoder.decode())
    if (this.#endsWithCr) this.#feedLine(this.#line)
  }

  #feedText (text: string): void {
    if (text === '') return
    if (this.#endsWithCr) text = `\r${text}`
    // An LF that belongs to it may still come.
    this.#endsWithCr = text.endsWith('\r')
    if (this.#endsWithCr) text = text.slice(0, -1)
    const lines = text.split(/\r\n|\n|\r/)
    lines[0] = this.#line + lines[0]!
    this.#line = lines.pop()!
    for (const line of lines) this.#feedLine(line)
  }

  #feedLine (line: string): void {
    this.#parser.feed(line === '' ? `data: ${MARK}\n\n` : `${line}\n`)
  }

  #onBlock ({ data, event, id }: { data: string, event?: string | undefined, id?: string | undefined }): void {
    const retry = this.#blockRetry
    this.#blockRetry = undefined
    if (id !== undefined) this.lastEventId = id
    if (data === MARK) return
    const received: ReceivedEvent = { data: data.slice(0, -MARK.length - 1) }
    if (event !== undefined) received.event = event
    if (id !== undefined) received.id = id
    if (retry !== undefined) received.retry = retry
    this.#callbacks.onEvent(received)
  }
}
