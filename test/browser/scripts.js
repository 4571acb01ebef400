// The scripts of both generations of htmx, for the pages of tests.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const HTMX = {
  2: { '/htmx.js': 'htmx.org/dist/htmx.min.js', '/sse.js': 'htmx-ext-sse/dist/sse.min.js' },
  4: { '/htmx.js': 'htmx4/dist/htmx.min.js', '/sse.js': 'htmx4/dist/ext/hx-sse.js' }
}

/** Serves files of packages, by the addresses that they get. */
export function serveScripts (app, scripts) {
  for (const [url, file] of Object.entries(scripts)) {
    const source = readFileSync(fileURLToPath(import.meta.resolve(file)))
    app.get(url, (request, reply) => reply.type('text/javascript').send(source))
  }
}

/** Serves one generation at `/htmx.js`, and its extension at `/sse.js`. */
export const serveHtmx = (app, htmx) => serveScripts(app, HTMX[htmx])
