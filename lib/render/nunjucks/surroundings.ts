// The variables beneath the context of a render, as in reply.view():
// `reply.locals`, and beneath them the `defaultContext` of @fastify/view.
import type { Surrounded } from '../renderer.js'
import type { Context, Environment } from './internals.js'
import { layered } from './variables.js'

type View = (page: object, data: object) => unknown

const PROBE = 'fastify_chirp_probe'

export class Surroundings {
  readonly #shared: Environment | undefined
  // By scope, and by decorator: a scope inherits those of its parents.
  readonly #defaults = new WeakMap<object, object | undefined>()
  readonly #byView = new WeakMap<View, object | undefined>()
  #own: object | undefined

  /** @param shared The environment, if the app made it. */
  constructor (shared: Environment | undefined) {
    this.#shared = shared
  }

  /** Of what is rendered for no reply. */
  get own (): object | undefined {
    return this.#own
  }

  /** Takes what is there when all plugins of `app` are. */
  learn (app: object): void {
    this.#own = this.#defaultsOf(app)
  }

  /** Of what is rendered for one reply, as they are now. */
  of ({ server, locals }: Surrounded): object | undefined {
    const defaults = this.#defaultsOf(server)
    if (typeof locals !== 'object' || locals === null) return defaults
    try {
      return Object.keys(locals).length === 0 ? defaults : layered(locals, defaults)
    } catch {
      // The render that needs them says that they cannot be read.
      return locals
    }
  }

  #defaultsOf (server: object): object | undefined {
    if (this.#shared === undefined) return undefined
    if (!this.#defaults.has(server)) this.#defaults.set(server, this.#find(this.#shared, server))
    return this.#defaults.get(server)
  }

  #find (shared: Environment, server: object): object | undefined {
    for (const view of viewsOf(server)) {
      if (!this.#byView.has(view)) this.#byView.set(view, probe(shared, view))
      const defaults = this.#byView.get(view)
      if (defaults !== undefined) return defaults
    }
    return undefined
  }
}

// @fastify/view keeps its `defaultContext` to itself, and its decorator may have
// any name. So each one that looks like it renders a text that tells what it sees.
function probe (shared: Environment, view: View): object | undefined {
  const { variableStart = '{{', variableEnd = '}}' } = shared.opts.tags ?? {}
  const raw = `${variableStart} ${PROBE}() ${variableEnd}`
  let found: object = {}
  const data = {
    [PROBE] (this: Partial<Context> | undefined) {
      if (this?.env === shared) found = { ...this.ctx }
      return ''
    }
  }
  // Another engine cannot make anything of it.
  new Promise(resolve => resolve(view({ raw }, data))).catch(() => {})
  const { [PROBE]: _, ...defaults } = found as Record<string, unknown>
  return Object.keys(defaults).length === 0 ? undefined : defaults
}

function * viewsOf (server: object): Generator<View> {
  for (let owner: object | null = server; owner !== null; owner = Object.getPrototypeOf(owner)) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value === 'function' && typeof value.clearCache === 'function') yield value
    }
  }
}
