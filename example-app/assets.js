// Files that never change while the app runs: ours, htmx and its extension.
import fastifyStatic from '@fastify/static'
import { fileURLToPath } from 'node:url'

const FOLDERS = {
  '/assets/': new URL('public', import.meta.url),
  '/vendor/htmx/': new URL('.', import.meta.resolve('htmx.org')),
  '/vendor/sse/': new URL('.', import.meta.resolve('htmx-ext-sse'))
}

export async function assets (app) {
  for (const [prefix, folder] of Object.entries(FOLDERS)) {
    await app.register(fastifyStatic, {
      root: fileURLToPath(folder),
      prefix,
      decorateReply: false,
      // Keeps them out of the log, unless something is wrong with one.
      logLevel: 'warn'
    })
  }
}
