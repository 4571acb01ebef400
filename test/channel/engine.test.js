// What each engine has to do, held by the memory engine and by ones that take their time.
import t from 'tap'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { AsyncEngine, testEngine } from '../helpers/engine.js'

testEngine(t, 'memory engine', () => new MemoryEngine())
testEngine(t, 'engine that takes its time', () => new AsyncEngine())
testEngine(t, 'engine whose listeners lag behind', () => new AsyncEngine({ lag: true }))
