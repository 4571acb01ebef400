// What ends a connection, with a clock that the test moves.
import { EventEmitter } from 'node:events'
import t from 'tap'
import { Connection } from '../../dist/transport/connection.js'
import { Clock } from '../../dist/transport/clock.js'

t.test('a connection that ends is cut when the server ran for writeTimeout, and not when only time went by', async t => {
  const clock = new Clock()
  let cuts = 0
  const dest = Object.assign(new EventEmitter(), { write: () => true, end () {}, destroy () {}, writableEnded: false, writableLength: 0 })
  const owner = { drained () {}, expired () {}, heartbeat () {}, cut () { cuts++ } }
  const connection = new Connection(dest, { heartbeat: 0, maxAge: 0 }, { clock, counters: { events: 0, bytes: 0 }, maxBuffer: 1, writeTimeout: Clock.ticks(1000) }, owner)
  connection.open(': open\n')
  connection.end(undefined)
  // The clock caught up after a busy loop: it is late, but has not turned.
  clock.now += 100
  connection.wake()
  t.equal(cuts, 0)
  clock.turns += 100
  connection.wake()
  t.equal(cuts, 1)
  connection.release()
})
