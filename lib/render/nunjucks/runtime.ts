// What compiled templates call, around the functions of Nunjucks itself.
import { types } from 'node:util'
import { UndefinedError, toFault, type Site } from './fault.js'
import type { Runtime } from './internals.js'

/** What compiled templates call. */
export interface HostRuntime extends Runtime {
  /** The place of the statement that runs now. */
  site: Site | undefined
  /** Passes on what a call gave, which may have run statements elsewhere. */
  back (value: unknown, site: Site): unknown
  required (value: unknown, expression: string): unknown
}

/** Gets Nunjucks' own functions as its prototype, with the first template. */
export function createRuntime (): HostRuntime {
  const runtime: HostRuntime = {
    site: undefined,
    handleError (error) {
      return toFault(error, this.site)
    },
    back (value, site) {
      this.site = site
      return value
    },
    required (value, expression) {
      if (value === undefined || value === null) throw new UndefinedError(expression, value)
      return value
    },
    suppressValue (value, autoescape) {
      if (typeof value === 'object') refusePromise(value)
      return native(this).suppressValue(value, autoescape)
    },
    fromIterator (value) {
      refusePromise(value)
      return native(this).fromIterator(value)
    }
  }
  return runtime
}

function native (runtime: HostRuntime): Runtime {
  return Object.getPrototypeOf(runtime)
}

// It would be shown as [object Promise], or as an empty list.
function refusePromise (value: unknown): void {
  if (types.isPromise(value)) throw new TypeError('a promise is no value that a template can show. Await it before the render, or have reply.page() send what reads it later: defer(promise)')
}
