// Finds the app in a module, whatever way the module makes it.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { parse, type AnyNode } from 'acorn'
import type { FastifyInstance } from 'fastify'

type Plugin = Parameters<FastifyInstance['register']>[0]
type FastifyFactory = () => FastifyInstance

/** The export of a module is not an app; the message says why. */
export class LoadError extends Error {}

const NAMES = ['default', 'app', 'build', 'buildApp', 'createApp']

/**
 * The app that a module exports: an instance, a promise of one, a function that
 * builds one, or a plugin. Undefined when it exports nothing of that name.
 *
 * @throws whatever the module throws, or LoadError.
 */
export async function loadApp (file: string, exportName: string | undefined): Promise<FastifyInstance | undefined> {
  const module = await import(pathToFileURL(file).href) as Record<string, unknown>
  // A CommonJS module is its own default export.
  const exports = { ...Object(module.default), ...module }
  if (exportName !== undefined && exports[exportName] === undefined) {
    throw new LoadError(`it has no export "${exportName}", but ${Object.keys(module).join(', ') || 'none at all'}`)
  }
  const name = exportName ?? NAMES.find(name => isApp(exports[name]) || isThenable(exports[name]) || typeof exports[name] === 'function')
  if (name === undefined) return undefined
  return build(await exports[name], name, file)
}

async function build (value: unknown, name: string, file: string): Promise<FastifyInstance> {
  if (isApp(value)) return value
  if (typeof value !== 'function') throw new LoadError(`its export "${name}" is neither a Fastify app nor a function that makes one`)
  if (isPlugin(value)) {
    const { default: fastify } = await import(pathToFileURL(createRequire(file).resolve('fastify')).href) as { default: FastifyFactory }
    const app = fastify()
    app.register(value as Plugin)
    return app
  }
  const built: unknown = await (value as (options: object) => unknown)({})
  if (isApp(built)) return built
  throw new LoadError(`its export "${name}" did not return a Fastify app. Return it, or name the right export with --export`)
}

function isApp (value: unknown): value is FastifyInstance {
  const { ready, inject, register } = Object(value)
  return typeof ready === 'function' && typeof inject === 'function' && typeof register === 'function'
}

function isThenable (value: unknown): boolean {
  return typeof Object(value).then === 'function'
}

// A plugin takes the app and options; a function that builds takes at most options.
function isPlugin (value: Function): boolean {
  return value.length >= 2 || Symbol.for('skip-override') in value || /^(?:app|fastify|instance|server)$/.test(firstParameter(value))
}

function firstParameter (value: Function): string {
  try {
    const [statement] = parse(`(${value})`, { ecmaVersion: 'latest' }).body
    const { params: [first] } = (statement as unknown as { expression: { params: AnyNode[] } }).expression
    return first?.type === 'Identifier' ? first.name : ''
  } catch {
    // Native code, or a method: nothing to go by.
    return ''
  }
}
