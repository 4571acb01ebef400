// Raw clients, a source that is told what to yield, and what the log says.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from './app.js'

/** A client that says what it is told to, and keeps what it hears. */
export async function dial (port) {
  const socket = net.connect(port, '127.0.0.1')
  const client = {
    socket,
    text: '',
    ended: false,
    closed: false,
    send: text => socket.write(text),
    heard: (wanted, times = 1) => until(() => client.text.split(wanted).length > times, `"${wanted}" comes, after ${JSON.stringify(client.text.slice(-300))}`)
  }
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  socket.on('data', chunk => { client.text += chunk })
  socket.on('end', () => { client.ended = true })
  socket.on('close', () => { client.closed = true })
  await once(socket, 'connect')
  return client
}

export const GET = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

/** A whole response; the body as latin1, so that every byte counts. */
export async function get (port, path, options) {
  const request = http.get({ port, path, agent: false, ...options })
  const [response] = await once(request, 'response')
  let body = ''
  response.setEncoding('latin1').on('data', chunk => { body += chunk })
  await once(response, 'end')
  return { status: response.statusCode, headers: response.headers, body }
}

/** A source that yields what it is given, when it is given. */
export function controlled () {
  const values = []
  let wake = () => {}
  const control = {
    opened: 0,
    closed: 0,
    give (value) {
      values.push(value)
      wake()
    },
    end: () => control.give(control),
    source: async function * ({ signal }) {
      control.opened++
      try {
        for (;;) {
          while (values.length === 0) {
            if (signal.aborted) return
            await new Promise(resolve => {
              wake = resolve
              signal.addEventListener('abort', resolve, { once: true })
            })
          }
          const value = values.shift()
          if (value === control) return
          yield value
        }
      } finally {
        control.closed++
      }
    }
  }
  return control
}

export const closeLines = app => app.log.lines.filter(line => line.msg === 'event stream closed')
export const troubles = app => app.log.lines.filter(line => line.level > 30)

export const askHttp1 = async (port, path, method) => {
  const request = http.request({ port, path, method, agent: false })
  request.end()
  const [response] = await once(request, 'response')
  let body = ''
  response.on('data', chunk => { body += chunk })
  await once(response, 'end')
  return { status: response.statusCode, headers: response.headers, body }
}

export const askHttp2 = (t, scheme, port) => {
  const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  return async (_, path, method) => {
    const stream = session.request({ ':path': path, ':method': method })
    stream.end()
    let body = ''
    stream.on('data', chunk => { body += chunk })
    const [headers] = await once(stream, 'response')
    if (!stream.closed) await once(stream, 'close')
    return { status: headers[':status'], headers, body }
  }
}

export const AB = ': open\ndata: a\n\ndata: b\n\n'
/** What a promise gives, or `'hangs'`. */
export const within = promise => Promise.race([promise, wait(20000, 'hangs', { ref: false })])
export const quietly = promise => promise.catch(error => error.message)
