// What the browser can ask for.
import { randomUUID } from 'node:crypto'
import os from 'node:os'
import { findTopic, TOPICS, typeOut } from './answers.js'
import { liveEvents } from './live.js'

const PAGE = 'station.html'
const LONGEST_NOTE = 280

export async function routes (app, station) {
  const { log, machine, notes, people, wordDelay } = station

  app.get('/', (request, reply) => {
    // So that the tabs of one browser count as one person.
    if (request.cookies.visitor === undefined) reply.setCookie('visitor', randomUUID(), { path: '/', httpOnly: true, sameSite: 'lax' })
    return reply.page(PAGE, pageContext(request))
  })

  app.get('/live', { referenced: true, events: ['machine', 'people', 'notes', 'log'] }, (request, reply) => {
    request.log.info({ url: request.url }, 'event stream opened')
    return reply.eventStream(context => liveEvents(station, context))
  })

  app.post('/notes', async (request, reply) => {
    const text = String(request.body?.text ?? '').trim()
    const problem = text === '' ? 'Write something first.' : text.length > LONGEST_NOTE ? `That is ${text.length} characters; ${LONGEST_NOTE} fit.` : ''
    // The note itself comes to every tab, this one too, through the stream.
    if (problem === '') await notes.add(text)
    if (problem === '' && !isHtmx(request)) return reply.redirect('/', 303)
    return reply.page(PAGE, { ...pageContext(request), problem, draft: problem === '' ? '' : text }, { block: 'noteForm' })
  })

  app.post('/answers', async (request, reply) => {
    const topic = findTopic(request.body?.topic)
    if (topic === undefined) return reply.callNotFound()
    // htmx gets the block, a browser without script the whole page with it.
    const words = isHtmx(request) ? [] : topic.text.split(' ')
    return reply.page(PAGE, { ...pageContext(request), topic, words }, { block: 'answer' })
  })

  app.get('/answers/:topic', { referenced: true, events: ['words', 'done'] }, async (request, reply) => {
    const topic = findTopic(request.params.topic)
    if (topic === undefined) return reply.callNotFound()
    request.log.info({ url: request.url }, 'event stream opened')
    return reply.eventStream(context => typeOut(topic, wordDelay, context), { closeEvent: 'done' })
  })

  app.post('/machine/break', async (request, reply) => {
    machine.breakFor(5)
    return isHtmx(request) ? reply.code(204).send() : reply.redirect('/', 303)
  })

  /** All that the page needs; each of its blocks takes its own part when it is sent alone. */
  function pageContext (request) {
    return {
      // Both kinds of page use the same routes, and the same streams.
      dialect: isHtmx4(request) ? 'htmx4' : 'htmx2',
      host: os.hostname(),
      runtime: `Node ${process.version} on ${os.type()} ${os.arch()}`,
      // The page says where it stopped, so the time between it and its stream is no hole.
      shown: { note: notes.feed.cursor, line: log.feed.cursor },
      ...machine.context(),
      ...people.context(),
      notes: notes.latest(),
      lines: log.feed.newest(),
      topics: TOPICS,
      topic: undefined,
      words: [],
      problem: '',
      draft: '',
      longestNote: LONGEST_NOTE
    }
  }
}

// The page says it in its address; htmx 4 in a header of its own.
function isHtmx4 (request) {
  return request.query.htmx === '4' || request.headers['hx-request-type'] !== undefined
}

function isHtmx (request) {
  return request.headers['hx-request'] === 'true'
}
