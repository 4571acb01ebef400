// Real proxies in front of apps: each with a folder and ports of its own, ended with its test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quiet } from './app.js'
import { freePort } from './port.js'

const tls = new URL('../fixtures/tls/', import.meta.url)
const examples = new URL('../../docs/examples/proxies/', import.meta.url)
const isRoot = process.getuid() === 0

const NGINX_TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const APACHE_MODULES = ['mpm_event', 'authz_core', 'deflate', 'filter', 'headers', 'http2', 'proxy', 'proxy_http', 'socache_shmcb', 'ssl']

// What each needs around its file to run in a folder, and how it is run there. `file` is that of the docs.
const KINDS = {
  nginx: {
    file: 'nginx.conf',
    around: (folder, config) => `daemon off;
worker_processes 1;
${isRoot ? 'user root;' : ''}
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  log_format edge '$request_uri $status $upstream_status';
  access_log ${folder}/access.log edge;
  ${NGINX_TEMPORARY.map(name => `${name}_temp_path ${folder}/tmp/${name};`).join('\n  ')}
  ${config}
}
`,
    command: (folder, file) => ['nginx', '-p', folder, '-e', `${folder}/error.log`, '-c', file]
  },
  haproxy: {
    file: 'haproxy.cfg',
    around: (folder, config) => `global\n  nbthread 1\n${config}`,
    command: (folder, file) => ['haproxy', '-db', '-f', file]
  },
  caddy: {
    file: 'Caddyfile',
    around: (folder, config) => `{\n\tadmin off\n\tauto_https disable_redirects\n\tgrace_period 1ms\n}\n${config}`,
    command: (folder, file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file]
  },
  apache: {
    file: 'apache.conf',
    around: (folder, config) => `${APACHE_MODULES.map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
ServerName localhost
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
DefaultRuntimeDir ${folder}
Mutex file:${folder} default
${isRoot ? 'User www-data\nGroup www-data' : ''}
${config}
`,
    command: (folder, file) => ['apache2', '-d', folder, '-f', file, '-DFOREGROUND']
  },
  varnish: {
    file: 'varnish.vcl',
    around: (folder, config) => config,
    command: (folder, file, port) => ['varnishd', '-F', '-j', 'none', '-n', `${folder}/tmp`, '-a', `127.0.0.1:${port}`, '-f', file, '-s', 'malloc,16m', '-p', 'pipe_timeout=6']
  },
  lighttpd: {
    file: 'lighttpd.conf',
    around: (folder, config) => `server.errorlog = "${folder}/error.log"\n${config}`,
    command: (folder, file) => ['lighttpd', '-D', '-f', file]
  }
}

export const FILES = Object.values(KINDS).map(({ file }) => file)
export const fileOf = kind => readFileSync(new URL(KINDS[kind].file, examples), 'utf8')

/**
 * Runs a proxy with its file of docs/examples/proxies, or with `config`, in front of the apps on `ports`:
 * `{ 3000: port }`. What the docs say of the files holds here: other ports and another certificate stand in
 * them, and 60 seconds are 6: a machine under load may stand still for two, and its heartbeats with it.
 */
export async function startEdge (t, kind, ports, config = fileOf(kind)) {
  const folder = mkdtempSync(join(tmpdir(), `chirp-${kind}-`))
  mkdirSync(join(folder, 'tmp'))
  for (const name of ['cert.pem', 'key.pem']) copyFileSync(new URL(name, tls), join(folder, name))
  writeFileSync(join(folder, 'both.pem'), ['cert.pem', 'key.pem'].map(name => readFileSync(new URL(name, tls), 'utf8')).join(''))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (let left = 2; ; left--) {
    const port = await freePort()
    const securePort = await freePort()
    const text = config
      .replace(/\b(?:8080|8443|300\d)\b/g, name => ({ 8080: port, 8443: securePort, ...ports })[name] ?? name)
      .replace(/\b60(s?)\b/g, '6$1')
      .replaceAll('/etc/ssl/app', folder)
      .replaceAll('/var/www/html', folder)
    try {
      await run(t, kind, folder, text, config.includes('8443') ? [port, securePort] : [port])
      return { folder, url: `http://127.0.0.1:${port}`, secureUrl: `https://localhost:${securePort}` }
    } catch (error) {
      // A port that was free may be taken by now.
      if (left === 0 || !/in use|cannot bind/i.test(error.message)) throw error
    }
  }
}

/** Runs a proxy until the test is over; resolves when it listens on all `ports`. */
async function run (t, kind, folder, config, ports) {
  const { file, around, command } = KINDS[kind]
  const path = join(folder, file)
  writeFileSync(path, around(folder, config))
  const [program, ...args] = command(folder, path, ports[0])
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Debian's are where the PATH of a user does not look, and Caddy keeps files at home.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { output += text })
  let failure
  child.once('error', () => { failure = new Error(`There is no ${program} on the PATH. Run scripts/install-tools`) })
  const closed = once(child, 'close').catch(() => {})
  child.once('close', code => { failure ??= new Error(`${program} ended with ${code}: ${output}`) })
  t.teardown(async () => {
    if (child.pid !== undefined) child.kill('SIGTERM')
    await closed
  })
  for (const port of ports) {
    while (!await accepts(port)) {
      if (failure !== undefined) throw failure
      await quiet(20)
    }
  }
  // Somebody else may listen there.
  if (failure !== undefined) throw failure
}

/** Whether somebody listens on a port. */
export async function accepts (port) {
  const socket = connect(port, '127.0.0.1')
  const isOpen = await new Promise(resolve => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  socket.destroy()
  return isOpen
}
