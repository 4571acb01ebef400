// What tests of the renderer share: loaders, tags, filters, and what a call gives.
import { resolve } from 'node:path'
import nunjucks from 'nunjucks'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'

// Templates by name; relative names as with Nunjucks' own loader.
export function memoryLoader (templates, extra = {}) {
  return {
    isRelative: name => name.startsWith('./') || name.startsWith('../'),
    resolve: (from, to) => resolve('/', from, '..', to).slice(1),
    getSource: name => Object.hasOwn(templates, name) ? { src: templates[name], path: name, noCache: false } : null,
    ...extra
  }
}

export function asyncLoader (templates, delay = 1) {
  return {
    async: true,
    getSource (name, callback) {
      setTimeout(() => callback(null, Object.hasOwn(templates, name) ? { src: templates[name], path: name, noCache: false } : null), delay)
    }
  }
}

/** Templates in memory; `count()` in them counts how often they were rendered. */
export function countingEnvironment (templates) {
  const env = new nunjucks.Environment(memoryLoader(templates))
  const rendered = { count: 0 }
  env.addGlobal('count', () => {
    rendered.count++
    return ''
  })
  return { env, rendered }
}

export function setUp (templates, { opts = {}, configure = () => {}, loader = memoryLoader(templates), ...options } = {}) {
  const env = new nunjucks.Environment(loader, opts)
  configure(env)
  return { env, renderer: createRenderer({ templates: env, debug: false, ...options }) }
}

// What a call gives: its HTML, or code, message and cause of its error.
export async function outcome (run) {
  try {
    return await run()
  } catch (error) {
    return { code: error.code, message: error.message, cause: error.cause === undefined ? undefined : `${error.cause?.name}: ${error.cause?.message}` }
  }
}

export const strict = { opts: { throwOnUndefined: true } }

export class ShoutTag {
  tags = ['shout']

  parse (parser, nodes) {
    const token = parser.nextToken()
    const args = parser.parseSignature(true, true)
    parser.advanceAfterBlockEnd(token.value)
    const body = parser.parseUntilBlocks('endshout')
    parser.advanceAfterBlockEnd()
    return new nodes.CallExtension(this, 'run', args, [body])
  }

  run (context, ...args) {
    const body = args.pop()
    return new nunjucks.runtime.SafeString(body().toUpperCase() + (args[0] ?? ''))
  }
}

export class WaitTag {
  tags = ['wait']

  parse (parser, nodes) {
    const token = parser.nextToken()
    const args = parser.parseSignature(true, true)
    parser.advanceAfterBlockEnd(token.value)
    return new nodes.CallExtensionAsync(this, 'run', args)
  }

  run (context, value, callback) {
    setTimeout(() => callback(value === 'fail' ? new RangeError('tag failed') : null, value), 1)
  }
}

// Filters that answer by callback, in every manner.
export function addAsyncFilters (env) {
  env.addFilter('later', (value, callback) => { setTimeout(() => callback(null, value), 1) }, true)
  env.addFilter('now', (value, callback) => { callback(null, value) }, true)
  env.addFilter('twice', (value, callback) => { callback(null, value); callback(null, 'again') }, true)
  env.addFilter('failing', (value, callback) => { setTimeout(() => callback(new RangeError(`no ${value}`)), 1) }, true)
  env.addFilter('throwing', () => { throw new TypeError('thrown at once') }, true)
  env.addFilter('rejecting', async value => { throw value }, true)
  env.addFilter('silent', () => {}, true)
  env.addFilter('boom', value => { throw new TypeError(`boom ${value}`) })
}
