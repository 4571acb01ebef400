// A server under churn, slow clients and restarts of its Redis, for the better part of a minute; and that the soak would notice what it is for.
import t from 'tap'
import { soak } from '../bench/soak/soak.js'
import { Watch } from '../bench/soak/watch.js'

function watch (kind, ...events) {
  const watch = new Watch(kind, 'u1')
  for (const [event, data] of events) watch.event({ event, data })
  return watch
}

const seq = (n, event) => [event, `seq=${n};`]

t.test('a client notices what is lost, what comes twice and what is older', async t => {
  t.same(watch('events', seq(1), seq(2), seq(3)).faults, [])
  t.match(watch('events', seq(1), seq(3)).faults, [/3 after 1, without a word/])
  t.match(watch('html', seq(1), seq(1)).faults, [/1 after 1/])
  t.match(watch('audience', seq(2), seq(1)).faults, [/audience u1: 1 after 2/])
  t.match(watch('merge', seq(1), seq(3)).faults, [/events: 3 after 1/])
  t.match(watch('viewer', ['own', '<p>u2 seq=1;</p>']).faults, [/another viewer/])
  t.match(watch('events', ['other', 'nothing']).faults, [/without a number/])
  t.same(watch('values', seq(1, 'v1'), seq(4, 'v1'), seq(2, 'v2')).faults, [])
  t.match(watch('values', seq(4, 'v1'), seq(1, 'v1')).faults, [/v1: the older 1 after 4/])
})

t.test('a gap that is told excuses one hole, and nothing that comes twice', async t => {
  const gap = ['chirp:gap', '{}']
  const told = watch('events', seq(1), gap, seq(5), seq(6))
  t.same(told.faults, [])
  t.equal(told.gaps, 1)
  t.match(watch('events', seq(1), gap, seq(5), seq(7)).faults, [/7 after 5/])
  t.match(watch('events', seq(3), gap, seq(3)).faults, [/3 after 3/])
})

t.test('a client knows what it has not come to', async t => {
  t.same(watch('events', seq(1)).behind({ events: 1 }), [])
  t.match(watch('events', seq(1)).behind({ events: 2 }), [/events: 1, not 2/])
  t.same(watch('live').behind({ live: 2 }), [], 'one that came later')
})

for (const [engine, seconds] of [['redis', 45], ['memory', 5]]) {
  t.test(`nothing is lost, doubled or kept: ${engine}`, async t => {
    const { faults, figures, seed } = await soak({ engine, seconds, streams: 90, rate: 4, patience: 60_000 })
    t.same(faults, [], `seed ${seed}`)
    t.ok(figures.events > 1_000, 'clients got events')
    t.ok(figures.connects > 90 && figures.stalls > 0, 'clients came back, and were slow')
    t.equal(figures.retried > 0, engine === 'redis', 'the engine was away')
  })
}
