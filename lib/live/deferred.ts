// The deferred values of a context that is made for streams: there is no page
// that they could follow, so the blocks that read them wait for them.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_DEFER } from '../errors.js'
import type { FragmentContext } from '../message/fragment.js'
import { layered } from '../render/nunjucks/variables.js'
import { hearFailure } from '../util/promise.js'

/** Hears of a promise in a context, which no code will wait for. */
export type FoundPromise = (name: string, promise: Promise<unknown>) => void

/** The deferred values of a context by their names; undefined when there are none. */
export type FindDeferred = (context: object, found: FoundPromise) => ReadonlyMap<string, { open (given: { signal: AbortSignal, log: FastifyBaseLogger }): unknown }> | undefined

/** No code waits for a promise in a context: its failure must not end the process, and has to be logged. */
export function hearPromises (view: string, report: (error: unknown, message: string) => void, tell: (what: string, message: string) => void): FoundPromise {
  return (name, promise) => {
    tell(`promise ${name}`, `the context of live view ${view} has a promise as "${name}", and templates cannot wait for it. Await it, or give defer(promise)`)
    hearFailure(promise, error => { report(error, `the promise "${name}" in the context of live view ${view} failed`) })
  }
}

/** The variables of a render. */
export interface Made {
  context: FragmentContext
  /** Values that are not there, with the errors. */
  failed: ReadonlyMap<string, unknown>
}

const NONE: ReadonlyMap<string, unknown> = new Map()
// As the `timeout` of a page.
const TIMEOUT = 10_000

/**
 * Awaits the deferred values of a context, those that `isRead` says. Never rejects; what fails is in `failed`.
 *
 * @param given.signal Aborts when the values are no longer needed.
 */
export async function awaitDeferred (context: FragmentContext, find: FindDeferred, isRead: (name: string) => boolean, given: { signal: AbortSignal, log: FastifyBaseLogger, found: FoundPromise }): Promise<Made> {
  const deferred = find(context, given.found)
  if (deferred === undefined) return { context, failed: NONE }
  const { log } = given
  const controller = new AbortController()
  const signal = AbortSignal.any([given.signal, controller.signal])
  const values: Record<string, unknown> = {}
  const failed = new Map<string, unknown>()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => { timer = setTimeout(resolve, TIMEOUT).unref() }).then(() => { controller.abort() })
  const names = [...deferred.keys()].filter(isRead)
  await Promise.all(names.map(async name => {
    const refuse = (): never => { throw new FST_CHIRP_DEFER(`"${name}" was not there within ${TIMEOUT} ms. Let its function end when its signal aborts`) }
    try {
      values[name] = await Promise.race([late.then(refuse), (async () => deferred.get(name)!.open({ signal, log }))()])
    } catch (error) {
      failed.set(name, error)
    }
  }))
  clearTimeout(timer)
  return { context: layered(values, context) as FragmentContext, failed }
}
