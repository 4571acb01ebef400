// What the browser can ask for.
import { randomUUID } from 'node:crypto'
import os from 'node:os'
import { defer, merge } from 'fastify-chirp'
import { answer, findAnswer, findTopic, TOPICS, wordsOf } from './answers.js'
import { disk, processors } from './machine/closer.js'

const PAGE = 'station.html'
const LONGEST_NOTE = 280
const COOKIE = { path: '/', httpOnly: true, sameSite: 'lax' }

export async function routes (app, { errands, log, machine, metrics, notes, people, wordDelay }) {
  // The page, and all that is live in it as one stream: over HTTP/1.1 a browser
  // opens only six connections to a server, for all tabs.
  app.get('/', { live: true, events: ['machine', 'people', 'notes', 'errands', 'log'] }, (request, reply) => {
    const visitor = request.cookies.visitor || randomUUID()
    // So that the tabs of one browser count as one person.
    reply.setCookie('visitor', visitor, COOKIE)
    return reply.page(PAGE, () => pageContext(request), { live: live(visitor) })
  })

  app.post('/notes', async (request, reply) => {
    const text = String(request.body?.text ?? '').trim()
    const problem = text === '' ? 'Write something first.' : text.length > LONGEST_NOTE ? `That is ${text.length} characters; ${LONGEST_NOTE} fit.` : ''
    // The note itself comes to every tab, this one too, through the stream.
    if (problem === '') await notes.add(text)
    const form = { problem, draft: problem === '' ? '' : text, longestNote: LONGEST_NOTE }
    if (isHtmx(request)) return reply.fragment(PAGE, 'noteForm', form)
    return problem === '' ? reply.redirect('/', 303) : reply.page(PAGE, () => ({ ...pageContext(request), ...form }), { live: live(request.id) })
  })

  // The lines come back through the stream, to this tab as to all others.
  app.post('/errands', async (request, reply) => {
    await errands.add()
    return isHtmx(request) ? reply.code(204).send() : reply.redirect('/', 303)
  })

  app.post('/errands/:id', async (request, reply) => {
    const { text, done } = request.body ?? {}
    const isKnown = await errands.change(Number(request.params.id), { text: String(text ?? '').trim(), isDone: done === 'on' })
    if (!isKnown) return reply.callNotFound()
    return isHtmx(request) ? reply.code(204).send() : reply.redirect('/', 303)
  })

  app.post('/answers', async (request, reply) => {
    const topic = findTopic(request.body?.topic)
    if (topic === undefined) return reply.callNotFound()
    // A browser without script gets all words, in a page.
    if (!isHtmx(request)) return reply.page(PAGE, () => ({ ...pageContext(request), topic, words: wordsOf(topic) }), { live: live(request.id) })
    findAnswer(app, request.cookies.answer)?.stop()
    const id = `${topic.id}.${randomUUID()}${request.body.again ? '.again' : ''}`
    answer(app, id, wordDelay)
    // Whatever tab of this browser is opened while it lasts shows it.
    reply.setCookie('answer', id, COOKIE)
    return reply.fragment(PAGE, 'answer', { dialect: dialectOf(request), topic, answer: id, words: [] })
  })

  app.get('/answers/:id', { referenced: true, events: ['words', 'done'] }, async (request, reply) => {
    const { id } = request.params
    // The process that has started it may be gone, and then it is started again. Nobody else's, though.
    const job = id === request.cookies.answer && findTopic(id) !== undefined ? answer(app, id, wordDelay) : findAnswer(app, id)
    return job === undefined ? reply.callNotFound() : reply.eventStream(job, { closeEvent: 'done' })
  })

  app.post('/answers/stop', async (request, reply) => {
    await findAnswer(app, request.cookies.answer)?.stop()
    return reply.code(204).send()
  })

  // What takes its time comes in parts, behind the page.
  app.get('/machine', (request, reply) => reply.page('machine.html', {
    dialect: dialectOf(request),
    ...about(),
    disk: defer(disk),
    processors: defer(({ signal }) => processors(signal))
  }))

  app.get('/metrics', { live: true }, (request, reply) =>
    reply.page('metrics.html', async () => ({ dialect: dialectOf(request), ...about(), ...await metrics.context() }), { live: metrics.channel }))

  app.post('/machine/break', async (request, reply) => {
    machine.breakFor(5)
    return isHtmx(request) ? reply.code(204).send() : reply.redirect('/', 303)
  })

  function live (visitor) {
    return merge(notes.channel, log.channel, machine.channel, errands.source, app.signals(), people.follow(visitor))
  }

  /** All that the page needs; each of its blocks takes its own part when it is sent alone. */
  function pageContext (request) {
    const { answer } = request.cookies
    return {
      dialect: dialectOf(request),
      ...about(),
      ...machine.context(),
      ...people.context(),
      ...errands.context(),
      notes: notes.latest(),
      lines: log.latest(),
      topics: TOPICS,
      topic: findAnswer(app, answer) && findTopic(answer),
      answer,
      words: [],
      problem: '',
      draft: '',
      longestNote: LONGEST_NOTE
    }
  }
}

function about () {
  return { host: os.hostname(), runtime: `Node ${process.version} on ${os.type()} ${os.arch()}` }
}

// Both kinds of page use the same routes, and the same streams. The page says
// its own in its address; htmx 4 in a header of its own.
function dialectOf (request) {
  return request.query.htmx === '4' || request.headers['hx-request-type'] !== undefined ? 'htmx4' : 'htmx2'
}

function isHtmx (request) {
  return request.headers['hx-request'] === 'true'
}
