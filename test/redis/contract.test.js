// What each engine has to do, held by the Redis engine: with each version of ioredis, and on a cluster.
import t from 'tap'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { until } from '../helpers/app.js'
import { testEngine } from '../helpers/engine.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const server = await startRedis(t)
testEngine(t, 'Redis', () => engineOn(server))

const client5 = new Redis5(server.url)
t.teardown(() => client5.disconnect())
testEngine(t, 'Redis, ioredis 5', () => engineOn(server, { url: undefined, client: client5 }))

const nodes = [await startRedis(t, '--cluster-enabled', 'yes'), await startRedis(t, '--cluster-enabled', 'yes')]
const [a, b] = nodes.map(node => node.client())
await until(() => a.status === 'ready' && b.status === 'ready')
await a.cluster('ADDSLOTS', ...Array.from({ length: 8192 }, (_, slot) => slot))
await b.cluster('ADDSLOTS', ...Array.from({ length: 8192 }, (_, slot) => slot + 8192))
await a.cluster('MEET', '127.0.0.1', nodes[1].port)
for (const node of [a, b]) {
  for (let info = ''; !(info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2'));) info = await node.cluster('INFO')
}
for (const [name, Class] of [['cluster', Cluster], ['cluster, ioredis 5', Cluster5]]) {
  const cluster = new Class(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  t.teardown(() => cluster.disconnect())
  testEngine(t, name, () => engineOn(server, { url: undefined, client: cluster }))
}
