// The message of a change of data, and the changes since a position.
import type { EventRecord } from '../dialects/record.js'
import { MOST_LINKS } from '../util/tracing.js'

/** The format of what travels. */
const VERSION = 1

/** A message of one process to all. */
export interface Change {
  /** In canonical form; undefined is everything. */
  paths?: readonly string[] | undefined
  /** The rights of readers have changed; the id of the process that has checked its own streams. */
  recheck?: string | undefined
  /** The trace that it was told in, with tracing on. */
  traceparent?: string | undefined
}

/** A message that cannot be read counts as a change of everything. */
export const UNREADABLE: Change = { recheck: '' }

export function toRecord ({ traceparent, ...change }: Change): EventRecord {
  return { data: JSON.stringify({ version: VERSION, ...change }), ...(traceparent !== undefined && { traceparent }) }
}

export function fromRecord ({ data, traceparent }: EventRecord): Change {
  try {
    const { version, paths, recheck } = JSON.parse(String(data)) as Change & { version?: unknown }
    const isKnown = version === VERSION && (paths === undefined || (Array.isArray(paths) && paths.every(path => typeof path === 'string')))
    return isKnown ? { paths, recheck, traceparent } : UNREADABLE
  } catch {
    return UNREADABLE
  }
}

// More paths than these count as everything.
const MOST = 1000

/** Collects what has changed. */
export class Changed {
  #paths: Set<string> | undefined = new Set()
  #traceparents: Set<string> | undefined

  /** Undefined is everything. */
  get paths (): ReadonlySet<string> | undefined {
    return this.#paths
  }

  /** The traces of the changes. */
  get traceparents (): string[] {
    return [...this.#traceparents ?? []]
  }

  get isEmpty (): boolean {
    return this.#paths?.size === 0
  }

  /** @param paths undefined is everything. */
  add (paths: Iterable<string> | undefined, traceparent?: string): this {
    if (traceparent !== undefined) this.#trace(traceparent)
    if (paths === undefined) this.#paths = undefined
    if (this.#paths === undefined || paths === undefined) return this
    for (const path of paths) this.#paths.add(path)
    if (this.#paths.size > MOST) this.#paths = undefined
    return this
  }

  addAll (changed: Changed): void {
    this.add(changed.#paths)
    for (const traceparent of changed.#traceparents ?? []) this.#trace(traceparent)
  }

  /** Gives all changes, and starts again without any. */
  take (): Changed {
    const taken = new Changed()
    taken.#paths = this.#paths
    taken.#traceparents = this.#traceparents
    this.#paths = new Set()
    this.#traceparents = undefined
    return taken
  }

  #trace (traceparent: string): void {
    this.#traceparents ??= new Set()
    if (this.#traceparents.size < MOST_LINKS) this.#traceparents.add(traceparent)
  }
}
