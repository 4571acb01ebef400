// What lies between a browser without scripts for new documents and the sites of tests: it writes them into the pages.
import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'

/** Starts it. `scripts` is a function that returns what runs first in each document. */
export async function startInjector (scripts) {
  const server = createServer((request, response) => {
    const { hostname, port, pathname, search } = new URL(request.url)
    if (pathname === SCRIPTS) return response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' }).end(scripts())
    const forwarded = ask({ hostname, port, path: pathname + search, method: request.method, headers: request.headers, agent: false })
    forwarded.on('response', answer => {
      const isPage = request.headers['sec-fetch-dest'] === 'document' && /text\/html/.test(answer.headers['content-type'])
      const { 'content-length': length, connection, 'keep-alive': keep, 'transfer-encoding': encoding, ...headers } = answer.headers
      response.writeHead(answer.statusCode, answer.statusMessage, isPage || length === undefined ? headers : { ...headers, 'content-length': length })
      response.flushHeaders()
      let isFirst = isPage
      answer.on('data', chunk => {
        response.write(isFirst ? inject(chunk, answer.headers) : chunk)
        isFirst = false
      })
      answer.on('end', () => response.end())
      answer.on('error', () => response.destroy())
    })
    // Nobody is there, or it was cut: so is the browser.
    forwarded.on('error', () => response.destroy())
    response.on('close', () => forwarded.destroy())
    request.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${server.address().port}`,
    stop () {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** Its own address on each site, since a policy may allow no script but those of the site. */
const SCRIPTS = '/injected.js'

function inject (chunk, { 'content-security-policy': policy }) {
  const html = chunk.toString('latin1')
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
  const head = html.indexOf('<head>')
  const at = head === -1 ? 0 : head + '<head>'.length
  return Buffer.from(`${html.slice(0, at)}<script src="${SCRIPTS}"${nonce ? ` nonce="${nonce}"` : ''}></script>${html.slice(at)}`, 'latin1')
}
