// Template functions that depend on the registration of the plugin, in an
// environment that several registrations may share.
import type { Environment } from '../internals.js'

type TemplateFunction = (this: never, ...args: never[]) => unknown

interface Shared {
  /** What the registrations bring, each once. */
  values: Set<unknown>
  /** The function that every user of the environment gets. */
  global: TemplateFunction
}

const shared = new WeakMap<Environment, Map<string, Shared>>()

/**
 * Adds a function to an environment, unless the name is taken. `view`, through
 * which one registration sees the environment, gets the function for its own
 * `value`; any other caller, such as @fastify/view, gets the one for the
 * values of all registrations.
 */
export function addFunction<T> (environment: Environment, view: Environment, name: string, value: T, make: (values: ReadonlySet<T>, isOwn: boolean) => TemplateFunction): void {
  const functions = shared.get(environment) ?? new Map<string, Shared>()
  shared.set(environment, functions)
  let entry = functions.get(name)
  if (entry === undefined) {
    if (name in environment.globals) return
    const values = new Set<T>()
    entry = { values, global: make(values, false) }
    functions.set(name, entry)
    environment.addGlobal(name, entry.global)
  }
  const { values, global } = entry
  values.add(value)
  if (view.globals === environment.globals) view.globals = Object.create(environment.globals)
  const own = make(new Set([value]), true)
  // What the app puts in its place later counts.
  Object.defineProperty(view.globals, name, { get: () => environment.globals[name] === global ? own : environment.globals[name] })
}
