// The message of a change of data, and the changes since a position.
import type { EventRecord } from '../dialects/record.js'

/** The format of what travels. */
const VERSION = 1

/** A message of one process to all. */
export interface Change {
  /** In canonical form; undefined is everything. */
  paths?: readonly string[] | undefined
  /** The rights of readers have changed; the id of the process that has checked its own streams. */
  recheck?: string | undefined
}

/** A message that cannot be read counts as a change of everything. */
export const UNREADABLE: Change = { recheck: '' }

export function toRecord (change: Change): EventRecord {
  return { data: JSON.stringify({ version: VERSION, ...change }) }
}

export function fromRecord ({ data }: EventRecord): Change {
  try {
    const { version, paths, recheck } = JSON.parse(String(data)) as Change & { version?: unknown }
    const isKnown = version === VERSION && (paths === undefined || (Array.isArray(paths) && paths.every(path => typeof path === 'string')))
    return isKnown ? { paths, recheck } : UNREADABLE
  } catch {
    return UNREADABLE
  }
}

// More paths than these count as everything.
const MOST = 1000

/** Collects what has changed. */
export class Changed {
  #paths: Set<string> | undefined = new Set()

  /** Undefined is everything. */
  get paths (): ReadonlySet<string> | undefined {
    return this.#paths
  }

  get isEmpty (): boolean {
    return this.#paths?.size === 0
  }

  /** @param paths undefined is everything. */
  add (paths: Iterable<string> | undefined): void {
    if (paths === undefined) this.#paths = undefined
    if (this.#paths === undefined || paths === undefined) return
    for (const path of paths) this.#paths.add(path)
    if (this.#paths.size > MOST) this.#paths = undefined
  }

  /** Gives all changes, and starts again without any. */
  take (): Changed {
    const taken = new Changed()
    taken.#paths = this.#paths
    this.#paths = new Set()
    return taken
  }
}
