// The types of fastify-chirp/redis: clients and clusters of ioredis, and what @fastify/redis gives as app.redis.
import fastify from 'fastify'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import chirp from 'fastify-chirp'
import { redisEngine, type RedisEngine, type RedisEngineOptions } from 'fastify-chirp/redis'
import type { Engine } from 'fastify-chirp/testing/engine'

/** As @fastify/redis declares it: one client, or several by their namespaces. */
interface FastifyRedisNamespacedInstance { [namespace: string]: Redis }
type FastifyRedis = FastifyRedisNamespacedInstance & Redis

declare module 'fastify' {
  interface FastifyInstance {
    redis: FastifyRedis
  }
}

const app = fastify()

const options: RedisEngineOptions = {
  client: new Redis(), prefix: 'app:', maxEventBytes: 1000, commandTimeout: 5000, connectTimeout: 5000, offlineQueue: false, idle: false, lazy: true
}
const engine: RedisEngine = redisEngine(options)
export const generic: Engine = engine
export const isReady: boolean = engine.ready

await app.register(chirp, { engine })
await app.register(chirp, { engine: redisEngine({ client: app.redis }) })
redisEngine({ url: 'redis://localhost', offlineQueue: 100, idle: undefined })
redisEngine({ client: new Cluster([{ host: 'localhost', port: 7000 }]) })
redisEngine({ client: new Redis5() })
redisEngine({ client: new Cluster5([{ host: 'localhost', port: 7000 }]) })
// @ts-expect-error a client of another kind
redisEngine({ client: { get () {} } })
// @ts-expect-error a name, not a number
redisEngine({ url: 'redis://localhost', prefix: 7 })
// @ts-expect-error no option
redisEngine({ url: 'redis://localhost', host: 'localhost' })
// @ts-expect-error it knows where Redis is by its options
redisEngine()
