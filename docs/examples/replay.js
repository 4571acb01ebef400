// A feed that loses nothing and repeats nothing, also when the server is
// killed: the event's id is the row's id, and a client that comes back is sent
// the rows after the last id that it has seen.
//
//   npm run build && node docs/examples/replay.js
//
// PORT and NEWS_FILE come from the environment.
import { on } from 'node:events'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import chirp, { Fragment } from 'fastify-chirp'
import { openStore } from './store.js'

const store = await openStore(process.env.NEWS_FILE ?? 'news.db')
// Every open stream is a listener, so many of them are not a sign of a leak.
store.setMaxListeners(0)

// Browsers open sockets in advance, and a server that closes would wait for them.
const app = Fastify({ forceCloseConnections: true })
await app.register(chirp, { templates: fileURLToPath(new URL('views', import.meta.url)), retry: 1500 })

// What a form sends.
app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' },
  async (request, body) => Object.fromEntries(new URLSearchParams(body)))

app.get('/', (request, reply) => reply.page('news.html', { items: store.after(0), cursor: store.lastId }))

app.post('/news', async (request, reply) => {
  store.add(String(request.body.text))
  return reply.code(204).send()
})

app.get('/live', { referenced: true, events: ['news'] }, (request, reply) => reply.eventStream(news))

async function * news ({ signal, lastEventId }) {
  // Listens before it looks into the table, so nothing falls in between.
  const changes = on(store, 'change', { signal })
  const cursor = Number.parseInt(lastEventId, 10) || 0
  // An id that the table has not given out: it is another table, and all of it is new.
  let seen = cursor > store.lastId ? 0 : cursor
  do {
    for (const item of store.after(seen)) {
      seen = item.id
      yield new Fragment('news.html', 'item', { item }, { target: 'news', id: item.id })
    }
  } while (!(await changes.next()).done)
}

for (const file of ['htmx.org/dist/htmx.min.js', 'htmx-ext-sse/dist/sse.min.js']) {
  app.get(`/${basename(file)}`, (request, reply) =>
    reply.type('text/javascript').send(createReadStream(fileURLToPath(import.meta.resolve(file)))))
}

process.once('SIGTERM', () => app.close())
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' }))
