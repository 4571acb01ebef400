// The data that one registration of the plugin keeps for the checker: its routes as they
// are added. The checker itself is loaded when it is first asked, because it
// brings parsers along that a server has no other use for.
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { NunjucksRenderer } from '../render/nunjucks/renderer.js'
import type { ChirpOptions } from '../types.js'
import type { ContractOptions } from './options.js'
import type { AddedRoute, Registered } from './registered.js'
import type { ContractReport, Declared } from './types.js'
import { writtenHandler } from './wrapped.js'

/** The plugin in one app or one of its parts. */
export class Registration implements Registered {
  readonly app: FastifyInstance
  readonly renderer: NunjucksRenderer
  readonly routes: AddedRoute[] = []
  /** The options of the registration. */
  readonly options: ContractOptions | undefined

  /** The address of the client script, whose route is not checked. */
  readonly script: string
  readonly declared: Declared

  constructor (app: FastifyInstance, renderer: NunjucksRenderer, { contracts, client }: Pick<ChirpOptions, 'contracts' | 'client'>, declared: Declared) {
    this.app = app
    this.declared = declared
    this.renderer = renderer
    this.options = contracts
    this.script = `${app.prefix.replace(/\/$/, '')}${client}/client.js`
    const { server } = app
    const others = registrations.get(server)
    if (others === undefined) registrations.set(server, [this])
    else others.push(this)
    tellCommand(this)
  }

  /** All registrations in the same app, in their order. */
  get siblings (): readonly Registration[] {
    return registrations.get(this.app.server) as Registration[]
  }

  /** The app itself, of which `app` may be a part. Only its ready() can be called at any time. */
  get root (): FastifyInstance {
    let root = this.app
    for (let next = root; next !== Object.prototype; next = Object.getPrototypeOf(next)) root = next
    return root
  }

  add (route: RouteOptions): void {
    const { method, url, referenced, live, events, constraints, prefix, websocket } = route as RouteOptions & { prefix?: string, websocket?: unknown }
    this.routes.push({
      methods: Array.isArray(method) ? [...method] : [method],
      url,
      referenced: referenced === true,
      isMarked: referenced === true || live === true,
      events,
      handler: writtenHandler(route),
      isSocket: websocket === true,
      isPrefix: url === prefix,
      isConstrained: Object.keys(constraints ?? {}).length > 0
    })
  }

  /** Implements `app.checkContracts()`. */
  async check (options?: ContractOptions, signal?: AbortSignal): Promise<ContractReport> {
    const { checkContracts } = await import('./run.js')
    return checkContracts(this, options, signal)
  }
}

const registrations = new WeakMap<object, Registration[]>()

/** The list that `fastify-chirp check` puts into its process, to find the apps of a module that exports none. @internal */
export const kFound = Symbol.for('fastify-chirp.contracts.found')

function tellCommand (registration: Registration): void {
  const found = (globalThis as { [kFound]?: Registration[] })[kFound]
  // Not before: to check an app is to make it ready, and then nothing can be added.
  if (found !== undefined) registration.app.addHook('onReady', async () => { found.push(registration) })
}
