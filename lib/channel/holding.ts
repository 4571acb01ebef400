// The form in which holdings of a process travel through an engine: JSON in the data of a record.
import type { EventRecord } from '../dialects/record.js'

/** The format of the messages. */
const VERSION = 1

/** A change of what an owner holds. */
export interface Told<T> {
  owner: string
  /** The process that made the change: the owner, or one that noticed its end. */
  by: string
  /** Undefined is everything that the owner holds. */
  key?: string | undefined
  /** Its holding from now on; undefined is nothing. */
  data?: T | undefined
  /** When it was held first, if the engine knows that already. */
  since?: number | undefined
}

export function toRecord<T> (told: Told<T>): EventRecord {
  return { data: JSON.stringify({ version: VERSION, ...told }) }
}

/** @throws a TypeError for what another version wrote. */
export function fromRecord<T> ({ data }: EventRecord): Told<T> {
  const { version, owner, by, key, data: held, since } = JSON.parse(String(data)) as Told<T> & { version: unknown }
  if (version !== VERSION) throw new TypeError(`its version is not ${VERSION}`)
  if (typeof owner !== 'string' || typeof by !== 'string' || !(key === undefined || typeof key === 'string') || !(since === undefined || Number.isFinite(since))) {
    throw new TypeError('it must name an owner, and the process that made the change')
  }
  return { owner, by, key, data: held, since }
}
