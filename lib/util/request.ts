// The original data of a request, where a schema may have changed it: Fastify's
// validator removes what a schema does not list, and makes numbers of strings.
import type { FastifyRequest } from 'fastify'

/** A header as the app sees it, or as it arrived where that is no longer a string. */
export function headerOf ({ headers, raw }: FastifyRequest, name: string): string | undefined {
  const header: unknown = headers[name]
  if (typeof header === 'string') return header
  // Servers that are not made by Node.js have no such list.
  const rawHeaders = (raw.rawHeaders as string[] | undefined) ?? []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i]!
    if (sent.length === name.length && sent.toLowerCase() === name) return rawHeaders[i + 1]
  }
}

/**
 * A parameter of the address: as it came, also where rewriteUrl has cut it off,
 * else what the app put into the query itself.
 */
export function parameterOf (request: FastifyRequest, name: string): string | undefined {
  const { url, originalUrl } = request
  const sent = find(url, name) ?? (originalUrl === url ? undefined : find(originalUrl, name))
  if (sent !== undefined) return sent
  const given = (request.query as Record<string, unknown> | undefined)?.[name]
  return typeof given === 'string' ? given : undefined
}

/** Whether the address has a parameter, as it came; an empty one too. */
export function hasParameter ({ url, originalUrl }: FastifyRequest, name: string): boolean {
  return [url, originalUrl].some(address => {
    const query = address.indexOf('?')
    return query !== -1 && address.slice(query + 1).split('&').some(parameter => parameter === name || parameter.startsWith(`${name}=`))
  })
}

// The last one: clients that add their cursor to an address that has one add it behind.
function find (url: string, name: string): string | undefined {
  const query = url.indexOf('?')
  if (query === -1) return
  const key = `${name}=`
  for (let at = url.lastIndexOf(key); at > query; at = url.lastIndexOf(key, at - 1)) {
    if (at - 1 !== query && url[at - 1] !== '&') continue
    const start = at + key.length
    const end = url.indexOf('&', start)
    return decode(url.slice(start, end === -1 ? undefined : end))
  }
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
