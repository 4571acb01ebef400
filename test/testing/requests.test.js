// What the test client sends is what it was told, over each protocol.
import t from 'tap'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const protocols = { injected: undefined, 'HTTP/1.1': {}, 'HTTP/2': { http2: true, forceCloseConnections: undefined } }

for (const [name, options] of Object.entries(protocols)) {
  t.test(name, async t => {
    const app = await buildApp(t, {}, options)
    app.addContentTypeParser('application/own', { parseAs: 'string' }, async (request, body) => body)
    app.post('/', (request, reply) => reply.eventStream([{ ...request.headers, body: request.body }]))
    const client = new TestClient(app, { listen: options !== undefined })
    const { events: [{ data }] } = await client.sse('/', {
      method: 'post',
      headers: { Accept: 'text/event-stream, text/html', 'Content-Type': 'application/own' },
      payload: { a: 1 }
    })
    t.match(JSON.parse(data), { accept: 'text/event-stream, text/html', 'content-type': 'application/own', body: '{"a":1}' })
    await app.close()
    await t.rejects(client.sse('/'), { code: 'FST_ERR_REOPENED_CLOSE_SERVER' })
  })
}
