// What each engine has to do, held by the Redis engine.
import t from 'tap'
import { testEngine } from '../helpers/engine.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const server = await startRedis(t)

testEngine(t, 'Redis', () => engineOn(server))
