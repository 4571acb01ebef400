// Finds the places of signals in HTML that may have been rendered a while ago, in another process, or for others.
import { SIGNAL_ATTRIBUTE } from '../../dialects/htmx.js'
import type { EventRecord } from '../../dialects/record.js'

/** Something sent, as far as its content goes. */
export interface Sent { readonly record: EventRecord }

const PLACE = new RegExp(` ${SIGNAL_ATTRIBUTE}="([^"]+)">`, 'g')

/** The places in one record. */
class Shown {
  readonly names: ReadonlySet<string>
  readonly #texts: readonly string[]
  // All streams of a process ask for the same.
  #last: { name: string, html: string, differs: boolean } | undefined

  constructor ({ data, parts = [] }: EventRecord) {
    this.#texts = [data, ...parts.map(({ data }) => data)].filter(text => text !== undefined)
    this.names = new Set(this.#texts.flatMap(text => [...text.matchAll(PLACE)].map(([, name]) => name!)))
  }

  /** Whether a place of a signal shows anything else than `html`. */
  differs (name: string, html: string): boolean {
    if (this.#last?.name !== name || this.#last.html !== html) this.#last = { name, html, differs: this.#compare(name, html) }
    return this.#last.differs
  }

  #compare (name: string, html: string): boolean {
    const place = ` ${SIGNAL_ATTRIBUTE}="${name}">`
    return this.#texts.some(text => text.split(place).slice(1).some(rest => !rest.startsWith(`${html}</span>`)))
  }
}

const known = new WeakMap<EventRecord, Shown>()

function shownBy (record: EventRecord): Shown {
  let shown = known.get(record)
  if (shown === undefined) known.set(record, shown = new Shown(record))
  return shown
}

/** Calls `tell` for each signal whose places show another value than `htmlOf` gives; undefined is a signal that does not matter. */
export function findStale (sent: readonly Sent[], htmlOf: (name: string) => string | undefined, tell: (name: string, html: string) => void): void {
  let told: Set<string> | undefined
  for (const { record } of sent) {
    const shown = shownBy(record)
    for (const name of shown.names) {
      const html = told?.has(name) === true ? undefined : htmlOf(name)
      if (html === undefined || !shown.differs(name, html)) continue
      told = (told ?? new Set()).add(name)
      tell(name, html)
    }
  }
}
