// The public names of fastify-chirp/redis.
import { RedisEngine } from './engine.js'
import type { RedisEngineOptions } from './options.js'

/**
 * Makes an engine that keeps the channels of an app in Redis 6.2 or later, or Valkey, so that several processes share
 * them: `await app.register(chirp, { engine: redisEngine({ client: app.redis }) })`. It has two connections of its own,
 * made with the client's settings.
 *
 * @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take.
 */
export function redisEngine (options: RedisEngineOptions): RedisEngine {
  return new RedisEngine(options)
}

export type { RedisEngine } from './engine.js'
export type { RedisClient, RedisEngineOptions } from './options.js'
