// The client script that browsers load: its address, and the route that answers there.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { FST_CHIRP_OPTION } from './errors.js'

// With its hash in the address it never changes. Without, five minutes are
// short enough after a deploy, and long enough to walk through a site.
const IMMUTABLE = 'public, max-age=31536000, immutable'
const REVALIDATED = 'public, max-age=300, must-revalidate'

/** The addresses that the script has in each app, for apps that register the plugin in several places. */
const served = new WeakMap<object, Set<string>>()

/**
 * Serves the script below `prefix`, and returns its address with its hash.
 *
 * @throws FST_CHIRP_OPTION when the app has a route of its own there.
 */
export function serveScript (app: FastifyInstance, prefix: string): string {
  const script = readFileSync(new URL('./client/client.js', import.meta.url))
  const hash = createHash('sha256').update(script).digest('base64url').slice(0, 12)
  const url = `${prefix}/client.js`
  const path = app.prefix + url
  if (claim(app, path)) addRoute(app, url, script, hash)
  return `${path}?v=${hash}`
}

/** Whether the route is still to be added. */
function claim (app: FastifyInstance, path: string): boolean {
  const paths = served.get(app.server) ?? new Set()
  served.set(app.server, paths)
  if (paths.has(path)) return false
  if (app.hasRoute({ method: 'GET', url: path })) {
    throw new FST_CHIRP_OPTION(`the app has a route GET ${path} already, where the client script is to be. Set the option "client" to another path, or to false`)
  }
  paths.add(path)
  return true
}

function addRoute (app: FastifyInstance, url: string, script: Buffer, hash: string): void {
  const etag = `"${hash}"`
  app.get(url, {
    // For @fastify/swagger.
    schema: { hide: true } as FastifySchema,
    config: { chirp: 'client' },
    logLevel: 'warn',
    exposeHeadRoute: true
  }, (request, reply) => {
    const { v } = request.query as { v?: unknown }
    reply.header('cache-control', v === hash ? IMMUTABLE : REVALIDATED).header('etag', etag)
    return isKnown(request, etag) ? reply.code(304).send() : sendScript(reply, script)
  })
}

// https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match
function isKnown ({ headers }: FastifyRequest, etag: string): boolean {
  const tags = headers['if-none-match']?.split(',').map(tag => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

function sendScript (reply: FastifyReply, script: Buffer): FastifyReply {
  return reply.type('text/javascript; charset=utf-8').header('x-content-type-options', 'nosniff').send(script)
}
