// Whom an event is for.
import { FST_CHIRP_OPTION } from '../errors.js'
import { Entry } from '../message/entry.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import { isPromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'

/** Whether an event that was published for an audience may be seen. */
export type AudienceFilter<Audience = unknown> = (audience: Audience) => boolean

/** Whether an event for `audience` is for a reader with that filter. */
export function maySee (filter: AudienceFilter | undefined, audience: unknown): boolean {
  if (audience === undefined) return true
  const answer: unknown = filter?.(audience)
  if (!isPromise(answer)) return answer === true
  // Nobody will wait for it, and it may fail.
  answer.then(undefined, () => {})
  throw new FST_CHIRP_OPTION('option "filter" of channel.subscribe() must answer at once, not with a promise. Look up before what it needs to know')
}

// A misspelt audience would send to everyone what is for one. What was for some in another channel stays so.
export function audienceOf (value: unknown, options: { audience?: unknown }): unknown {
  refuseUnknown('of publish()', options, ['audience'])
  const { audience } = options
  if (audience === undefined) return isOf(value, Entry) ? value.audience : undefined
  if (isPromise(audience)) throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, not ${describe(audience)}. Await it first`)
  return audience
}

// Values are told apart by the JSON of their audiences.
export function checkAudience (audience: unknown): void {
  try {
    JSON.stringify(audience)
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, and JSON refused it (${messageOf(cause)})`, { cause })
  }
}
