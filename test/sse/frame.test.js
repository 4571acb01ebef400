// The wire rules, on bytes and through a parser that is not ours.
import t from 'tap'
import { createParser } from 'eventsource-parser'
import { SSEEvent } from 'fastify-chirp'
import { encodeComment, encodeData, encodeFrame, HEARTBEAT } from '../../dist/sse/frame.js'
import { loadCases } from '../helpers/cases.js'

function parse (text) {
  const events = []
  let id = ''
  const parser = createParser({
    onEvent: event => {
      id = event.id ?? id
      events.push({ data: event.data, event: event.event ?? 'message', lastEventId: id })
    }
  })
  parser.feed(text)
  return events
}

for (const { name, input, error, wire, parsed } of loadCases('wire-cases')) {
  t.test(`wire: ${name}`, async t => {
    if (error) {
      t.throws(() => new SSEEvent(input), { code: 'FST_CHIRP_EVENT' })
      return
    }
    const bytes = Buffer.from(SSEEvent.frame(new SSEEvent(input)))
    t.equal(bytes.toString('latin1'), Buffer.from(wire).toString('latin1'), 'the bytes')
    t.same(parse(bytes.toString()), parsed.map(event => ({ event: 'message', lastEventId: '', ...event })), 'what is read')
  })
}

for (const { name, comment, wire, parsed } of loadCases('comment-cases')) {
  t.test(`comment: ${name}`, async t => {
    const bytes = Buffer.from(encodeComment(comment))
    t.equal(bytes.toString('latin1'), Buffer.from(wire).toString('latin1'))
    t.same(parse(bytes.toString()), parsed)
  })
}

t.test('a heartbeat is the shortest comment', async t => {
  t.equal(HEARTBEAT, ':\n')
})

t.test('an event of data alone is encoded the same either way', async t => {
  for (const data of ['', 'a', 'a\nb', 'a\r\n\rb\n', '\ud800']) t.equal(encodeData(data), encodeFrame({ data }))
})

t.test('a frame without fields is a lone blank line, which dispatches nothing', async t => {
  t.equal(encodeFrame({}), '\n')
})

t.test('line ends of every kind, in every mix, start a new data line', async t => {
  const ends = ['\n', '\r', '\r\n']
  for (const first of ends) {
    for (const second of ends) {
      // CR LF is one line end, wherever it comes from.
      const joined = first === '\r' && second === '\n'
      const expected = joined ? 'data: a\ndata: b\n\n' : 'data: a\ndata: \ndata: b\n\n'
      t.equal(encodeData(`a${first}${second}b`), expected, JSON.stringify(first + second))
      t.equal(encodeData(`a${first}b${second}c`), 'data: a\ndata: b\ndata: c\n\n')
    }
  }
})

t.test('an SSEEvent is frozen, shows its fields, and keeps what it was made of', async t => {
  const data = { n: 1 }
  const event = new SSEEvent({ data, event: 'tick', id: 7, retry: 10 })
  t.ok(Object.isFrozen(event))
  t.match(event, { data: { n: 1 }, event: 'tick', id: '7', retry: 10 })
  data.n = 2
  t.equal(SSEEvent.frame(event), 'event: tick\nid: 7\nretry: 10\ndata: {"n":1}\n\n')
})

t.test('an event with a name alone gets an empty data line, one with an id or a retry alone gets none', async t => {
  t.equal(SSEEvent.frame(new SSEEvent({ event: 'done' })), 'event: done\ndata: \n\n')
  t.equal(SSEEvent.frame(new SSEEvent({ id: '9' })), 'id: 9\n\n')
  t.equal(SSEEvent.frame(new SSEEvent({ id: '9', retry: 5 })), 'id: 9\nretry: 5\n\n')
})

t.test('what is refused is refused with a sentence that says what to do', async t => {
  const cases = [
    [undefined, /the fields must be an object, such as \{ data, event, id, retry \}, not undefined/],
    ['data', /not the string "data"/],
    [{}, /Give it at least one of them/],
    [{ event: '' }, /Give it at least one of them/],
    [{ data: 1, event: 5 }, /the event must be a string, not 5/],
    [{ data: 1, event: 'a\nb' }, /the event "a\\nb" has a line break or NUL in it.*Send such text as data/],
    [{ data: 1, event: 'a\0b' }, /has a line break or NUL/],
    [{ data: 1, event: '\ud800' }, /lone surrogate.*toWellFormed/],
    [{ data: 1, id: null }, /the id must be a string or an integer, not null/],
    [{ data: 1, id: [] }, /not an array/],
    [{ data: 1, id: Symbol('x') }, /not a symbol/],
    [{ data: 1, id: true }, /not true/],
    [{ data: 1, id: Object.create(null) }, /not an object/],
    [{ data: 1, id: new Date(0) }, /not an object of class Date/],
    [{ data: 1, id: 1.5 }, /not a safe integer.*Use a string/],
    [{ data: 1, id: 'a\0' }, /control character/],
    [{ data: 1, id: 'a\u007f' }, /control character/],
    [{ data: 1, id: 'a ' }, /space.*Trim it/],
    [{ data: 1, id: '\udc00' }, /lone surrogate/],
    [{ data: 1, id: 'é'.repeat(513) }, /longer than 1024 bytes.*Send a short cursor/],
    [{ data: 1, retry: '5' }, /whole number of milliseconds from 0 to 2147483647, not the string "5"/],
    [{ data: 1, retry: 1.5 }, /not 1.5/],
    [{ data: () => 1 }, /JSON has no form for a function/],
    [{ data: Symbol('x') }, /JSON has no form for a symbol/],
    [{ data: Buffer.from('x') }, /text, not bytes. Send data.toString\('base64'\)/],
    [{ data: new ArrayBuffer(1) }, /text, not bytes/],
    [{ data: new SharedArrayBuffer(1) }, /text, not bytes/],
    [{ data: 1n }, /JSON.stringify refused it/]
  ]
  for (const [fields, message] of cases) {
    t.throws(() => new SSEEvent(fields), { code: 'FST_CHIRP_EVENT', message }, String(message))
  }
})

t.test('long names are cut short in messages', async t => {
  t.throws(() => new SSEEvent({ data: 1, event: 'x'.repeat(100) + '\n' }), { message: new RegExp(`"${'x'.repeat(40)}\\.\\.\\."`) })
})

t.test('ids of up to 1024 bytes pass', async t => {
  t.equal(new SSEEvent({ id: 'é'.repeat(512) }).id.length, 512)
})
