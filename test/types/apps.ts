// Every app is taken by the plugin and by the test client.
import http from 'node:http'
import { pino } from 'pino'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyTypeProvider } from 'fastify'
import { type TypeBoxTypeProvider, Type } from '@fastify/type-provider-typebox'
import chirp from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'

interface Loose extends FastifyTypeProvider {
  validator: Record<string, string>
  serializer: unknown
}

const plain = Fastify()
const logged = Fastify({ loggerInstance: pino() })
const secure = Fastify({ https: {} })
const second = Fastify({ http2: true })
const secondSecure = Fastify({ http2: true, https: { allowHTTP1: true } })
const own = Fastify({ serverFactory: handler => http.createServer(handler) })
const typed = Fastify().withTypeProvider<TypeBoxTypeProvider>()
const loose = Fastify({ http2: true, loggerInstance: pino() }).withTypeProvider<Loose>()

for (const app of [plain, own]) await app.register(chirp, { retry: false })
await logged.register(chirp)
await secure.register(chirp)
await second.register(chirp)
await secondSecure.register(chirp, { templates: 'views' })
await typed.register(chirp)
await loose.register(chirp)
await loose.register(async scope => { await scope.register(chirp) })

export const clients = [
  new TestClient(plain), new TestClient(logged), new TestClient(secure), new TestClient(second), new TestClient(secondSecure, { listen: true }),
  new TestClient(own), new TestClient(typed), new TestClient(loose)
]
// @ts-expect-error a server is no app
export const wrong = new TestClient(http.createServer())

second.get('/', { live: true }, (request, reply) => reply.eventStream(second.channel('a')))
secondSecure.get('/', { referenced: true }, async (request, reply) => reply.page('a.html'))
typed.get('/', { schema: { querystring: Type.Object({ q: Type.String() }) }, live: true }, (request, reply) => reply.eventStream([request.query.q.length]))
typed.get('/generator', { schema: { querystring: Type.Object({ q: Type.String() }) }, live: true }, async function * ({ query }) { yield query.q.length })
loose.get('/', { live: true }, (request, reply) => reply.eventStream([request.query.q]))

export function start (app: FastifyInstance): TestClient { return new TestClient(app) }
