// Messages on faults of an engine that the app gave, and of events that are published through it.
import { FST_CHIRP_ENGINE, FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { messageOf, toCause } from '../util/thrown.js'
import type { StoredEvent } from './engine.js'
import { gapFields } from './sink.js'

/** The event that takes the place of lost ones, up to a position. */
export function gapOf (from: string, to: string): StoredEvent {
  return { position: to, previous: from, record: gapFields(from, to) }
}

export function failure (verb: string, error: unknown): Error {
  return error instanceof FST_CHIRP_ENGINE ? error : new FST_CHIRP_ENGINE(`${verb}()`, messageOf(error), { cause: toCause(error) })
}

/** A message of the engine about its own state. */
export function outage (error: unknown): Error {
  return new FST_CHIRP_ENGINE('operation', messageOf(error), { cause: toCause(error) })
}

export function wrong (verb: string, wanted: string): Error {
  return new FST_CHIRP_ENGINE(`${verb}()`, `it must give ${wanted}`)
}

/** An audience as every process sees it. JSON leaves some values out, and then an event for one would be for everyone. */
export function plain (audience: unknown): unknown {
  if (audience === undefined) return undefined
  let json: string | undefined
  try {
    json = JSON.stringify(audience)
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, and JSON refused it (${messageOf(cause)})`, { cause })
  }
  if (json === undefined) throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, not ${describe(audience)}`)
  return JSON.parse(json)
}
