// Ours: a channel, from dist/ as users get it.
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import chirp, { Fragment } from 'fastify-chirp'
import nunjucks from 'nunjucks'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'
import { MARK } from '../../lib/payloads.js'

const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))

let renders = 0
const templates = new nunjucks.Environment(new nunjucks.FileSystemLoader(VIEWS), { autoescape: true })
templates.addGlobal('rendered', () => ++renders)

const app = Fastify()
// Streams are kept track of for heartbeats, as in any app; but a beat must not
// fall into the turn of another contestant, and theirs are off.
await app.register(chirp, { templates, heartbeat: 300_000, retry: false })

const channel = app.channel('news', { history: 0 })

app.get('/fan', { referenced: true }, (request, reply) => reply.eventStream(channel))

await app.listen(LISTEN)
fan(app.server, (payload) => { channel.publish(payload) }, {
  /** Publishes one fragment, and tells how often it was rendered until now. */
  publishFragment: () => channel.publish(new Fragment('fan.html', 'news', { mark: MARK }, { target: 'news' })),
  renders: () => renders
})
