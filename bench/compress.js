// What compression costs, and what it saves: one event to 1,000 streams, over real sockets. CPU is that of the server, and
// of nginx where that compresses; bytes are what arrives. Build first: node bench/compress.js [streams [ways]]
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopAll } from './lib/child.js'
import { startServer } from './lib/processes.js'

const STREAMS = Number(process.argv[2] ?? 1000)
const ONLY = process.argv[3]?.split(',')
const EVENTS = 40
const ROUNDS = 3
const KINDS = { html: 'HTML, 2 kB', json: 'JSON, 200 B' }
const WAYS = {
  off: 'not compressed',
  shared: 'compress: true',
  hook: 'createGzip() in a hook',
  nginx: 'nginx, gzip on',
  'alone-off': 'not compressed',
  alone: 'compress: true'
}

// Each resolves when so many sockets have got something.
let wanted = 0
let reached = () => {}

class Client {
  bytes = 0
  #sockets = []
  #behind = new Set()

  async hold (port, path) {
    while (this.#sockets.length < STREAMS) {
      await Promise.all(Array.from({ length: Math.min(50, STREAMS - this.#sockets.length) }, () => this.#open(port, path)))
    }
    await sleep(300)
  }

  /** Resolves when each socket has got something. */
  all (give) {
    this.#behind = new Set(this.#sockets)
    const arrived = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#behind.size} streams got nothing`)), 30_000)
      reached = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    wanted = this
    return Promise.all([arrived, give()])
  }

  close () {
    for (const socket of this.#sockets) socket.destroy()
  }

  #open (port, path) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', reject)
      socket.on('data', data => {
        resolve()
        this.bytes += data.length
        if (this.#behind.delete(socket) && this.#behind.size === 0 && wanted === this) reached()
      })
      socket.write(`GET /${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`)
      this.#sockets.push(socket)
    })
  }
}

/** An nginx in front of the server, which compresses. */
async function startNginx (upstream) {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  if (spawnSync('nginx', ['-v'], { env }).error !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'chirp-bench-'))
  mkdirSync(join(folder, 'tmp'))
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), `daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections ${4 * STREAMS + 500}; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/tmp/${name};`).join(' ')}
  gzip on;
  gzip_types text/event-stream;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Accept-Encoding ""; }
  }
}
`)
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'], env })
  process.on('exit', () => child.kill('SIGTERM'))
  await sleep(500)
  return {
    port,
    /** Seconds of CPU of all its processes so far. */
    cpu: () => readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(cpuOf(child.pid)).reduce((sum, seconds) => sum + seconds, 0),
    stop () {
      child.once('exit', () => rmSync(folder, { recursive: true, force: true }))
      child.kill('SIGTERM')
    }
  }
}

async function freePort () {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

const cpuOf = parent => pid => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
    if (Number(pid) !== parent && Number(fields[1]) !== parent) return 0
    // Ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

const median = list => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]

process.on('exit', stopAll)
const rows = []
for (const [way, title] of Object.entries(WAYS)) {
  if (ONLY !== undefined && !ONLY.includes(way)) continue
  const server = await startServer('compress')
  const nginx = way === 'nginx' ? await startNginx(server.info.port) : undefined
  if (way === 'nginx' && nginx === undefined) continue
  const client = new Client()
  await client.hold(nginx?.port ?? server.info.port, way === 'nginx' ? 'off' : way)
  for (const [kind, event] of Object.entries(KINDS)) {
    const publish = async count => { for (let n = 0; n < count; n++) await client.all(() => server.ask('publish', kind)) }
    await publish(20)
    const results = []
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(200)
      const [bytes, before] = [client.bytes, nginx?.cpu() ?? 0]
      await server.ask('begin', { collect: false })
      await publish(EVENTS)
      await sleep(200)
      const { cpu } = await server.ask('end')
      results.push({ cpu: cpu * 1000 / EVENTS, edge: ((nginx?.cpu() ?? 0) - before) * 1000 / EVENTS, bytes: (client.bytes - bytes) / EVENTS / STREAMS })
    }
    const { rss } = await server.ask('memory')
    const [cpu, edge, bytes] = ['cpu', 'edge', 'bytes'].map(name => median(results.map(result => result[name])))
    rows.push({ source: way.startsWith('alone') ? 'own' : 'shared', event, title, cpu: `${cpu.toFixed(1)} ms${nginx === undefined ? '' : ` + ${edge.toFixed(1)} ms`}`, bytes: `${Math.round(bytes)} B`, rss: `${Math.round(rss / 2 ** 20)} MB` })
    console.log(rows.at(-1))
  }
  client.close()
  nginx?.stop()
  await server.stop()
}
console.log(`\n${STREAMS} streams; CPU for one event to all of them, bytes for each stream\n\n| Events | Event | Way | CPU | Bytes | Memory |\n|---|---|---|---|---|---|`)
for (const row of rows.sort((a, b) => a.source === b.source ? a.event.localeCompare(b.event) : b.source.localeCompare(a.source))) console.log(`| ${Object.values(row).join(' | ')} |`)
