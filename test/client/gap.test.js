// Parts of the client script that need no page: what a gap says, and frames.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { build } from 'esbuild'

/** What a module of the client script exports. */
async function load (name) {
  const entry = fileURLToPath(new URL(`../../lib/client/${name}.ts`, import.meta.url))
  const { outputFiles: [{ text }] } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false })
  return import(`data:text/javascript,${encodeURIComponent(text)}`)
}

t.test('a gap is read whatever its data is', async t => {
  const { readGap } = await load('gap')
  t.same(readGap('{"requested":"a","again":true,"spread":300}'), { requested: 'a', again: true, spread: 300 })
  for (const data of [undefined, '', 'null', '1', '"x"', '{', '[]']) {
    const { again, spread } = readGap(data)
    t.equal(again, undefined, data)
    t.equal(spread, undefined, data)
  }
})

t.test('there is always some time before a page is asked for, and at most the spread', async t => {
  const { delayOf } = await load('gap')
  for (const [spread, most] of [[60000, 60000], [undefined, 500], [0, 500], ['soon', 500], [null, 500]]) {
    const times = Array.from({ length: 2000 }, () => delayOf({ spread }))
    t.ok(times.every(time => time >= 0 && time < most), `${spread}`)
    t.ok(Math.max(...times) > most * 0.8 && Math.min(...times) < most * 0.2, `${spread} is spread`)
  }
})

t.test('frames of an answer, however it is cut', async t => {
  const { framesOf } = await load('parse')
  const text = ': hello\r\n\r\nid: 7\r\nevent: chirp:gap\r\ndata: {"again":\r\ndata: true}\r\n\r\nid\n\ndata: lost'
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const body = new ReadableStream({
      start (controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
        controller.close()
      }
    })
    const frames = []
    for await (const { id, event, data } of framesOf({ body })) frames.push({ id, event, data })
    t.same(frames, [
      { id: undefined, event: undefined, data: undefined },
      { id: '7', event: 'chirp:gap', data: '{"again":\ntrue}' },
      { id: '', event: undefined, data: undefined }
    ], `pieces of ${size}`)
  }
})
