// The example app for tests: in this process, or in one that can be killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildApp } from '../../example-app/app.js'

const SERVER = fileURLToPath(new URL('../../example-app/server.js', import.meta.url))

/** Starts the app in this process; it is closed when the test is over. */
export async function startApp (t, options = {}) {
  const app = await buildApp({ notesFile: join(t.testdir(), 'notes.jsonl'), debug: true, interval: 500, retry: 300, wordDelay: 5, ...options })
  t.teardown(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url }
}

/** Starts `node example-app/server.js`. A second start can use the port of the first. */
export async function startProcess (t, notesFile, port = 0) {
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', NOTES_FILE: notesFile, NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => { child.kill('SIGKILL') })
  const [line] = await once(createInterface(child.stdout), 'line')
  const url = /http:\/\/\S+/.exec(line)[0]
  return {
    url,
    port: Number(new URL(url).port),
    /** Resolves to `[code, signal]`. */
    async stop (signal) {
      const exit = once(child, 'exit')
      child.kill(signal)
      return exit
    }
  }
}

/** What the form of the page does, from Node. */
export function postNote (url, text) {
  return fetch(`${url}/notes`, { method: 'POST', body: new URLSearchParams({ text }), redirect: 'manual' })
}
