// A real Redis for tests: on a free port, with a folder of its own, and ended with the test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { redisEngine } from 'fastify-chirp/redis'
import { freePort } from './port.js'

export class RedisServer {
  #args
  #process
  #clients = []
  folder = mkdtempSync(join(tmpdir(), 'chirp-redis-'))
  port

  constructor (args) {
    this.#args = args
  }

  get url () {
    return `redis://127.0.0.1:${this.port}`
  }

  async start () {
    this.port ??= await freePort()
    const args = ['--port', this.port, '--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--loglevel', 'notice', ...this.#args]
    const child = this.#process = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.setEncoding('utf8')
    let output = ''
    await new Promise((resolve, reject) => {
      child.once('error', () => reject(new Error('There is no redis-server on the PATH. Run scripts/install-tools')))
      child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)))
      child.stdout.on('data', text => {
        output += text
        if (output.includes('Ready to accept connections')) resolve()
      })
    })
    // A pipe that is full would stop it.
    child.stdout.removeAllListeners('data').resume()
  }

  signal (signal) {
    this.#process.kill(signal)
  }

  async kill () {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  async restart () {
    await this.kill()
    await this.start()
  }

  /** A client for the test itself. */
  client (options) {
    const client = new Redis(this.port, '127.0.0.1', options)
    client.on('error', () => {})
    this.#clients.push(client)
    return client
  }

  async end () {
    for (const client of this.#clients) client.disconnect()
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts a server that ends with the test. */
export async function startRedis (t, ...args) {
  const server = new RedisServer(args)
  t.teardown(() => server.end())
  await server.start()
  return server
}

let prefixes = 0

/** An engine with topics of its own. */
export function engineOn (server, options = {}) {
  return redisEngine({ url: server.url, prefix: `t${++prefixes}:`, ...options })
}
