// Reads an event stream as a browser does:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

import type { Silence } from './silence.js'

/** A block between two blank lines: its fields, and its text for another parser. */
export interface Frame {
  text: string
  event?: string
  /** Undefined when there is nothing to dispatch. */
  data?: string
  id?: string | undefined
  /** Digits. */
  retry?: string
  [field: string]: string | undefined
}

/** All of an answer; `silence` watches the waits. */
export async function * framesOf ({ body }: Response, silence?: Silence): AsyncGenerator<Frame, void> {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  const cut = createCutter()
  for (;;) {
    silence?.wait()
    const { done, value } = await reader.read()
    silence?.heard(value)
    if (done) return
    yield * cut(value)
  }
}

/**
 * Cuts text that comes in pieces into frames. Each piece is looked at once,
 * however many a frame is made of. A CR at the very end waits for what follows.
 */
function createCutter (): (piece: string) => Frame[] {
  // Of the frame that has begun, without the ends of lines whose other half may follow.
  let parts: string[] = []
  let ends = ''
  return piece => {
    const blocks = (ends + piece).replace(/\r\n|\r(?!$)/g, '\n').split('\n\n')
    const begun = blocks.pop()!
    const frames = blocks.map(block => {
      const text = parts.join('') + block
      parts = []
      return parse(text)
    })
    ends = /\n?\r?$/.exec(begun)![0]
    parts.push(begun.slice(0, begun.length - ends.length))
    return frames
  }
}

/** A frame, whose lines end with LF. */
function parse (text: string): Frame {
  const frame: Partial<Frame> = {}
  for (const [, field, value] of text.matchAll(/^([^:\n]*):? ?([^\n]*)/gm) as Iterable<[string, string, string]>) {
    frame[field] = field === 'data' && field in frame ? `${frame.data}\n${value}` : value
  }
  return { ...frame, text }
}
