// Makes the engine's own clients from the options of the app: one that runs scripts, and one that listens.
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisSettings } from './options.js'

export interface Clients {
  /** The prefix that the app's client puts before every key. */
  readonly keyPrefix: string
  readonly db: number
  /** Their address, for messages. */
  readonly address: string
  commands (): Redis | Cluster
  /** @param commands the client that is connected already: one of a cluster knows the nodes. */
  subscriber (commands: Redis | Cluster | undefined): Redis
}

export function clientsOf ({ client, url, commandTimeout, connectTimeout }: RedisSettings): Clients {
  const redisOptions: RedisOptions = {
    commandTimeout,
    connectTimeout,
    // Both so that nothing is sent twice.
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    autoResubscribe: false,
    lazyConnect: true,
    keyPrefix: '',
    readOnly: false,
    // A server that does not answer does not close either.
    disconnectTimeout: 100,
    // A primary that has become a replica keeps its connections.
    reconnectOnError: error => error.message.startsWith('READONLY')
  }
  if (client !== undefined && isCluster(client)) {
    const { keyPrefix = client.options.redisOptions?.keyPrefix ?? '' } = client.options
    return {
      keyPrefix,
      db: 0,
      address: 'a cluster',
      commands: () => client.duplicate([], {
        clusterRetryStrategy: () => null,
        // A command that was on its way would be sent again.
        retryDelayOnFailover: 0,
        enableOfflineQueue: false,
        enableAutoPipelining: false,
        lazyConnect: true,
        keyPrefix: '',
        scaleReads: 'master',
        redisOptions: { commandTimeout, connectTimeout, autoResendUnfulfilledCommands: false, keyPrefix: '' }
      }),
      subscriber (commands) {
        const nodes = (commands as Cluster | undefined)?.nodes('master') ?? []
        if (nodes.length === 0) throw new Error('no node of the cluster is known')
        return nodes[Math.floor(Math.random() * nodes.length)]!.duplicate(redisOptions)
      }
    }
  }
  const { options } = client ?? new Redis(url!, { lazyConnect: true })
  const create = (): Redis => client?.duplicate(redisOptions) ?? new Redis(url!, redisOptions)
  const { host, port, path, db = 0, keyPrefix = '', sentinels } = options
  return { keyPrefix, db, address: Array.isArray(sentinels) ? 'its sentinels' : path ?? `${host}:${port}`, commands: create, subscriber: create }
}

/** Of any version of ioredis. */
export function isCluster (client: Redis | Cluster): client is Cluster {
  return client.isCluster
}
