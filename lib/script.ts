// The client script that browsers load: its address, and the route that answers there.
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { FST_CHIRP_OPTION } from './errors.js'
import { SCRIPT } from './script-text.js'
import type { Settings } from './stream/settings.js'

// With its hash in the address it never changes. Without, five minutes are
// short enough after a deploy, and long enough to walk through a site.
const IMMUTABLE = 'public, max-age=31536000, immutable'
const REVALIDATED = 'public, max-age=300, must-revalidate'

/** The addresses that the script has in each app, for apps that register the plugin in several places. */
const served = new WeakMap<object, Set<string>>()

/**
 * Serves the script where the options say, and returns the address with its
 * hash that pages load it from; undefined when there is none.
 *
 * @throws FST_CHIRP_OPTION when the app has a route of its own there, or pages
 * (`hasPages`) could not know the address.
 */
export function serveScript (app: FastifyInstance, { client, clientUrl }: Settings, hasPages: boolean): string | undefined {
  const script = Buffer.from(SCRIPT)
  const hash = createHash('sha256').update(script).digest('base64url').slice(0, 12)
  const url = `${client}/client.js`
  // As Fastify joins them; two slashes would begin the name of another host.
  const path = app.prefix.replace(/\/$/, '') + url
  if (client !== undefined) {
    if (hasPages && clientUrl === undefined) refuseParameters(app.prefix, url)
    if (claim(app, path)) addRoute(app, url, script, hash)
  }
  const address = clientUrl ?? (client === undefined ? undefined : path)
  return address === undefined ? undefined : `${address}${address.includes('?') ? '&' : '?'}v=${hash}`
}

// Which tenant a page is for is known when it is asked for, and not to a template.
function refuseParameters (prefix: string, url: string): void {
  if (!/[:*]/.test(prefix)) return
  throw new FST_CHIRP_OPTION(`the prefix "${prefix}" has a parameter, so chirp_client() cannot print the address of the client script. Set the option "clientUrl" to an address without one, such as "${url}" of a registration at the root, or the option "client" to false`)
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
