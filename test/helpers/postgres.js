// A real PostgreSQL for tests, of Debian's package: on a free port, with a folder of its own, and ended with the test.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './port.js'

const PACKAGES = '/usr/lib/postgresql'

/** The folder of the newest PostgreSQL's programs, or undefined where there is none. */
export const postgresPrograms = (existsSync(PACKAGES) ? readdirSync(PACKAGES) : [])
  .sort((a, b) => Number(b) - Number(a)).map(version => join(PACKAGES, version, 'bin')).find(folder => existsSync(join(folder, 'initdb')))

// It refuses to run as root; the package has made a user for it.
const idOf = flag => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
const owner = process.getuid() === 0 ? () => ({ uid: idOf('-u'), gid: idOf('-g') }) : () => ({})

export class PostgresServer {
  #process
  #owner = owner()
  folder = mkdtempSync(join(tmpdir(), 'chirp-postgres-'))
  port

  /** What a client needs to know. */
  get options () {
    return { host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' }
  }

  async init () {
    const { uid, gid } = this.#owner
    if (uid !== undefined) chownSync(this.folder, uid, gid)
    execFileSync(join(postgresPrograms, 'initdb'), ['-D', join(this.folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C'],
      { cwd: this.folder, stdio: ['ignore', 'ignore', 'inherit'], ...this.#owner })
    this.port = await freePort()
    await this.start()
  }

  async start () {
    const args = ['-D', 'data', '-p', this.port, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off']
    const child = this.#process = spawn(join(postgresPrograms, 'postgres'), args.map(String), { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'], ...this.#owner })
    child.stderr.setEncoding('utf8')
    let output = ''
    await new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(`postgres ended: ${output}`)))
      child.stderr.on('data', text => {
        output += text
        if (output.includes('ready to accept connections')) resolve()
      })
    })
    // A pipe that is full would stop it.
    child.stderr.removeAllListeners('data').resume()
  }

  /** It ends at once, as in a crash, and takes its children along. */
  async kill () {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGQUIT')
    await exit
  }

  async end () {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts a server that ends with the test. */
export async function startPostgres (t) {
  const server = new PostgresServer()
  t.teardown(() => server.end())
  await server.init()
  return server
}
