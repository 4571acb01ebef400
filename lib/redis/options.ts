// The options of redisEngine(), checked at once.
import type { Cluster, Redis } from 'ioredis'
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { integer, MAX_TIME, refuse, refuseUnknown, time } from '../util/options.js'

/** A client or a cluster of ioredis, of any version: their types do not fit each other. */
export interface RedisClient {
  /** Whether it is a client of a cluster. */
  readonly isCluster: boolean
  /** The settings that it was made with. */
  readonly options: object
  /** Makes another client of the same settings. */
  duplicate (...given: never[]): unknown
}

/** Options of {@link redisEngine}. */
export interface RedisEngineOptions {
  /**
   * A client of ioredis, of a single server, of Sentinel or of a cluster, such as `app.redis` of `@fastify/redis`. It is
   * used to make clients of the same settings with `duplicate()`, and is left alone. Either this or `url` is needed.
   */
  client?: RedisClient | undefined
  /** The address of Redis, such as `redis://user:password@host:6379/0`, or `rediss:` for TLS. */
  url?: string | undefined
  /** The prefix of the names of all keys and Pub/Sub channels. Default: `'chirp:'`. */
  prefix?: string | undefined
  /** Bytes of JSON that an event may have. Default: 1 MiB. */
  maxEventBytes?: number | undefined
  /** Milliseconds that Redis may take to answer; a server that takes longer is out of reach. Default: 5000. */
  commandTimeout?: number | undefined
  /** Milliseconds that the first connection may take, and any other one. Default: 5000. */
  connectTimeout?: number | undefined
  /** Publications that wait for Redis while it is out of reach; more are rejected. Default: off, each is rejected at once. Off: `false`. */
  offlineQueue?: number | false | undefined
  /** Milliseconds after which Redis forgets a topic without publications and readers. Default: 24 hours. Off: `false`. */
  idle?: number | false | undefined
  /** Lets the app start while Redis is out of reach. Default: `false`, `app.ready()` fails after `connectTimeout`. */
  lazy?: boolean | undefined
}

export interface RedisSettings {
  client: Redis | Cluster | undefined
  url: string | undefined
  prefix: string
  maxEventBytes: number
  commandTimeout: number
  connectTimeout: number
  offlineQueue: number
  /** 0 is never. */
  idle: number
  lazy: boolean
}

const OPTIONS = ['client', 'url', 'prefix', 'maxEventBytes', 'commandTimeout', 'connectTimeout', 'offlineQueue', 'idle', 'lazy'] as const

const MIN_IDLE = 1000
const OF = 'of redisEngine()'

/** @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take. */
export function redisSettings (options: RedisEngineOptions): RedisSettings {
  refuseUnknown(OF, options, OPTIONS)
  const { client, url, prefix = 'chirp:', maxEventBytes, commandTimeout, connectTimeout, offlineQueue, idle, lazy = false } = options
  if ((client === undefined) === (url === undefined)) {
    throw new FST_CHIRP_OPTION('redisEngine() needs to know where Redis is: give it either "client", such as app.redis, or "url", such as \'redis://localhost:6379\'')
  }
  if (client !== undefined && typeof (client as Partial<Redis> | null)?.duplicate !== 'function') refuse('client', 'a client or a cluster of ioredis', client, OF)
  if (url !== undefined && (typeof url !== 'string' || !/^(rediss?|unix):\/\/./.test(url))) {
    // It may have a password.
    throw new FST_CHIRP_OPTION(`option "url" ${OF} must be an address such as 'redis://localhost:6379', not ${typeof url === 'string' ? 'one without redis: or rediss:' : describe(url)}`)
  }
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) refuse('prefix', 'a string without braces, which mark a slot of a cluster', prefix, OF)
  if (typeof lazy !== 'boolean') refuse('lazy', 'true or false', lazy, OF)
  return {
    client: client as Redis | Cluster | undefined,
    url,
    prefix,
    maxEventBytes: integer('maxEventBytes', maxEventBytes, 1, 512 * 1024 * 1024, OF) ?? 1024 * 1024,
    commandTimeout: integer('commandTimeout', commandTimeout, 10, MAX_TIME, OF) ?? 5000,
    connectTimeout: integer('connectTimeout', connectTimeout, 10, MAX_TIME, OF) ?? 5000,
    offlineQueue: offlineQueue === false ? 0 : integer('offlineQueue', offlineQueue, 1, Number.MAX_SAFE_INTEGER, OF) ?? 0,
    idle: time('idle', idle, MIN_IDLE, Number.MAX_SAFE_INTEGER, OF) ?? 24 * 60 * 60 * 1000,
    lazy
  }
}
