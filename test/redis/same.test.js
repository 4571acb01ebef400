// The same tests as in memory, on Redis: each file is run once more, and its apps have the engine of the run.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startRedis } from '../helpers/redis.js'

t.setTimeout(300000)

const FILES = ['channel/remove', 'channel/ttl', 'channel/every', 'channel/job', 'stream/keys', 'live/rights']

const server = await startRedis(t)

for (const file of FILES) {
  t.test(file, t => {
    const path = fileURLToPath(new URL(`../${file}.test.js`, import.meta.url))
    execFile(process.execPath, [path], { env: { ...process.env, CHIRP_TEST_REDIS: server.url }, maxBuffer: 1e8 }, (error, stdout) => {
      t.equal(error, null, stdout.slice(stdout.indexOf('not ok'), stdout.indexOf('not ok') + 2000))
      t.end()
    })
  })
}
