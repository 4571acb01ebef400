// Files that never change while the app runs: ours, and two generations of htmx.
import fastifyStatic from '@fastify/static'
import { fileURLToPath } from 'node:url'

const FOLDERS = {
  '/assets/': new URL('public', import.meta.url),
  '/vendor/htmx2/': new URL('.', import.meta.resolve('htmx.org')),
  '/vendor/htmx2-sse/': new URL('.', import.meta.resolve('htmx-ext-sse')),
  '/vendor/idiomorph/': new URL('.', import.meta.resolve('idiomorph')),
  '/vendor/htmx4/': new URL('.', import.meta.resolve('htmx4'))
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
