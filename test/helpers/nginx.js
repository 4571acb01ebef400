// A real nginx for tests: with a folder of its own, for the servers and upstreams of a file.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quiet } from './app.js'

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** Runs nginx with `config`, what stands in a file of conf.d; it ends with the test. */
export async function startNginx (t, config, port) {
  const folder = mkdtempSync(join(tmpdir(), 'chirp-nginx-'))
  mkdirSync(join(folder, 'tmp'))
  writeFileSync(join(folder, 'app.conf'), config)
  writeFileSync(join(folder, 'nginx.conf'), `daemon off;
worker_processes 2;
${process.getuid() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  ${TEMPORARY.map(name => `${name}_temp_path ${folder}/tmp/${name};`).join('\n  ')}
  include ${folder}/app.conf;
}
`)
  const child = spawn('nginx', ['-p', folder, '-e', `${folder}/error.log`, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // Debian's is where the PATH of a user does not look.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  })
  let failure
  child.once('error', () => { failure = new Error('There is no nginx on the PATH. Run scripts/install-tools') })
  child.once('exit', code => { failure ??= new Error(`nginx ended with ${code}`) })
  t.teardown(async () => {
    if (failure === undefined) {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
    rmSync(folder, { recursive: true, force: true })
  })
  while (!await accepts(port)) {
    if (failure !== undefined) throw failure
    await quiet(20)
  }
  return `http://127.0.0.1:${port}`
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
