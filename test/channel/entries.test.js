// One stored event is one Entry in this process, however often it is heard and read.
import t from 'tap'
import { toEntries, toEntry } from '../../dist/channel/entries.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { dialects } from '../../dist/dialects/list.js'

t.test('the event that is heard, and each read of it, share one Entry, and a frame for each form', async t => {
  const engine = new MemoryEngine()
  const heard = []
  const { last } = engine.read('a', '', 0)
  engine.listen('a', event => heard.push(toEntry(event)))
  const [htmx2] = dialects
  let encoded = 0
  const counting = { ...htmx2, form: () => 'counted', encode (record) { encoded++; return htmx2.encode(record) } }
  for (const data of ['one', 'two']) engine.publish('a', { record: { data }, audience: undefined, history: 10 })
  for (let n = 0; n < 50; n++) {
    const { entries } = toEntries(engine.read('a', last, 10))
    t.equal(entries[0], heard[0])
    t.equal(entries[1].frame(counting), `id: ${heard[1].position}\ndata: two\n\n`)
  }
  t.equal(encoded, 1)
})
