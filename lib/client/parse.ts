// Reads an event stream as a browser does:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

/** What stands between two blank lines: its fields, and its text for who reads it once more. */
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

/** A frame, whose lines end with LF. */
export function parse (text: string): Frame {
  const frame: Partial<Frame> = {}
  for (const [, field, value] of text.matchAll(/^([^:\n]*):? ?([^\n]*)/gm) as Iterable<[string, string, string]>) {
    frame[field] = field === 'data' && field in frame ? `${frame.data}\n${value}` : value
  }
  return { ...frame, text }
}
