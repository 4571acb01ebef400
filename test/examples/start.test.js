// `npm start`, where another process has the port.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const SERVER = fileURLToPath(new URL('../../example-app/server.js', import.meta.url))

t.test('a port that is taken is said, with a way out', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address()
  const started = promisify(execFile)(process.execPath, [SERVER], { env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', NOTES_FILE: `${t.testdir()}/notes.jsonl` } })
  await t.rejects(started, { code: 1, stdout: '', stderr: `Something else listens on port ${port}. Start me on another one: PORT=${port + 1} npm start\n` })
})
