// Lets the parameters of streams pass a schema that does not know them. Clients
// add them to any address, and they are read from it as they came.
import type { FastifyRequest, RouteOptions } from 'fastify'
import { dialectParameter } from '../dialects/list.js'
import { AFTER_GAP, LAST_EVENT_ID } from '../stream/context.js'

type Hooks = NonNullable<RouteOptions['preValidation']>
type Hook = (request: FastifyRequest, reply: unknown, done: () => void) => void

const PARAMETERS = [LAST_EVENT_ID, dialectParameter, AFTER_GAP]

/** Takes them out of the query before a schema of `route` sees it, where that would refuse or remove them. */
export function hideParameters (route: RouteOptions): void {
  const { schema, preValidation } = route
  // Fastify takes both names.
  const { querystring = (schema as { query?: unknown } | undefined)?.query } = schema ?? {}
  if (querystring === undefined) return
  let hidden: string[] | undefined
  const hook: Hook = (request, _reply, done) => {
    // Schemas that others refer to may be added after the route.
    hidden ??= isOpen(querystring) ? [] : unnamedIn(querystring, id => request.server.getSchema(id))
    if (typeof request.query === 'object' && request.query !== null) for (const name of hidden) Reflect.deleteProperty(request.query, name)
    done()
  }
  route.preValidation = [...toList(preValidation), hook] as Hooks
}

/** Whether a schema lets everything pass as it is: one of JSON Schema that nowhere says otherwise. */
function isOpen (schema: unknown): boolean {
  const { properties, type } = Object(schema) as Record<string, unknown>
  if (properties === undefined && type !== 'object') return false
  return !find(schema, (name, value) => (/^(additional|unevaluated)Properties$/.test(name) && value !== true) || /^(propertyNames|maxProperties|\$ref)$/.test(name))
}

function unnamedIn (schema: unknown, shared: (id: string) => unknown): string[] {
  return PARAMETERS.filter(parameter => {
    const isNamed = (name: string, value: unknown): boolean => name === parameter || (name === '$ref' && typeof value === 'string' && find(shared(value.replace(/#.*$/s, '')), name => name === parameter))
    return !find(schema, isNamed)
  })
}

/** Looks through a schema of any kind, in which names of properties are names. */
function find (schema: unknown, isIt: (name: string, value: unknown) => boolean, seen = new Set<unknown>()): boolean {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return false
  seen.add(schema)
  return Object.entries(schema).some(([name, value]) => isIt(name, value) || find(value, isIt, seen))
}

function toList<T> (value: T | T[] | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}
