// One stored event is one Entry in this process, however often it is heard and read.
import t from 'tap'
import { pageAfter, pageUpTo, toEntries, toEntry } from '../../dist/channel/entries.js'
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

t.test('a page from a position on, and up to one', async t => {
  const engine = new MemoryEngine()
  const { last } = engine.read('a', '', 0)
  for (const data of ['one', 'two', 'three']) engine.publish('a', { record: { data }, audience: undefined, history: 10 })
  const page = toEntries(engine.read('a', last, 10))
  const [one, two] = page.entries
  const dataOf = ({ entries }) => entries.map(({ record }) => record.data)
  t.same(dataOf(pageAfter(last, page, 2)), ['one', 'two'])
  t.same(dataOf(pageAfter(one.position, page, 10)), ['two', 'three'])
  t.same(dataOf(pageAfter('elsewhere-1', page, 10)), [])
  t.equal(pageUpTo(undefined, page), page)
  t.same(dataOf(pageUpTo(two.position, page)), ['one', 'two'])
  t.same(dataOf(pageUpTo(last, page)), [], 'it ends where it begins')
  t.equal(pageUpTo('elsewhere-1', page), page, 'the end comes in a page after it')
})
