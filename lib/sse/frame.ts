// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
// Turns checked fields into the text of one frame. Pure: no input is refused
// here (see event.ts and fragment.ts), but none can break out of its line.

/** The fields of one frame. An absent field writes no line. */
export interface FrameFields {
  event?: string | undefined
  id?: string | undefined
  retry?: number | undefined
  data?: string | undefined
}

/** Bytes that go to many connections. */
export interface SharedBytes {
  /** As text, or compressed. */
  text: string | Uint8Array
  /** Bytes of it. */
  size: number
  /** The same as one chunk of an HTTP/1.1 body. */
  chunk: Buffer
}

/** Frames that go to many connections. */
export interface SharedFrames extends SharedBytes {
  text: string
}

/**
 * Encodes one event, its closing blank line included. The order is event, id,
 * retry, data. `event` and `id` must be single lines without NUL.
 */
export function encodeFrame (fields: FrameFields): string {
  const { event, id, retry, data } = fields
  let head = ''
  if (event !== undefined) head = `event: ${event}\n`
  if (id !== undefined) head += `id: ${id}\n`
  if (retry !== undefined) head += `retry: ${retry}\n`
  return data === undefined ? `${head}\n` : head + encodeData(data)
}

/** Encodes an event that has data and nothing else: the shortest way. */
export function encodeData (data: string): string {
  return `data: ${prefixLines(data, '\ndata: ')}\n\n`
}

/** Encodes a comment, which clients skip. */
export function encodeComment (text: string): string {
  return text === '' ? ':\n\n' : `: ${prefixLines(text, '\n: ')}\n\n`
}

/** The least that keeps a connection busy; with a blank line after it, some clients would take it for an empty message. */
export const HEARTBEAT = ':\n'

/** Cuts joined frames into parts of at most `limit` bytes; only a frame that is larger itself makes a larger part. */
export function * splitFrames (frames: string, limit: number): Generator<string> {
  // No character takes more than three bytes for each unit of length.
  const length = Math.floor(limit / 3)
  let start = 0
  while (start < frames.length) {
    let end = frames.length
    if (end - start > length) {
      // Only a frame's end is a blank line.
      end = frames.lastIndexOf('\n\n', start + length - 2)
      if (end < start) end = frames.indexOf('\n\n', start)
      end += 2
    }
    yield frames.slice(start, end)
    start = end
  }
}

// CRLF, LF and a bare CR all end a line (9.2.5), so each of them starts a new
// line of the same field. A lone surrogate cannot be written in UTF-8.
function prefixLines (text: string, lineStart: string): string {
  text = text.toWellFormed()
  let cr = text.indexOf('\r')
  let lf = text.indexOf('\n')
  if (cr === -1 && lf === -1) return text

  let lines = ''
  let start = 0
  while (cr !== -1 || lf !== -1) {
    const isCr = lf === -1 || (cr !== -1 && cr < lf)
    const end = isCr ? cr : lf
    lines += text.slice(start, end) + lineStart
    start = end + (isCr && lf === end + 1 ? 2 : 1)
    if (cr !== -1 && cr < start) cr = text.indexOf('\r', start)
    if (lf !== -1 && lf < start) lf = text.indexOf('\n', start)
  }
  return lines + text.slice(start)
}
