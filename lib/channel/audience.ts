// Whom an event is for.
import { FST_CHIRP_OPTION } from '../errors.js'
import { isPromise } from '../util/promise.js'

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
