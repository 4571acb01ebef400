// A live page: every reading, note and line is HTML from Fastify, pushed over one
// event stream. This file puts the parts together. Read in this order: routes.js (what the browser
// asks for, and follows), views/station.html (what that looks like),
// public/station.js (the little that htmx does not do).
import Fastify, { LogController } from 'fastify'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import { fileURLToPath } from 'node:url'
import chirp from 'fastify-chirp'
import { assets } from './assets.js'
import { Errands } from './errands.js'
import { LogTail } from './log-tail.js'
import { Machine } from './machine/machine.js'
import { Metrics } from './metrics.js'
import { NoteStore } from './notes/store.js'
import { People } from './people.js'
import { routes } from './routes.js'

/**
 * @param {object} [options]
 * @param {string} [options.notesFile] JSON-lines file that the notes are kept in
 * @param {boolean} [options.debug] error boxes on the page; default: not in production
 * @param {{ write (line: string): void }} [options.logTo] gets the JSON log too
 * @param {number} [options.interval] milliseconds between two readings of the machine
 * @param {number} [options.retry] milliseconds before a tab that lost us tries again
 * @param {number} [options.wordDelay] milliseconds between two words of an answer
 */
export async function buildApp ({ notesFile = NOTES_FILE, debug, logTo, interval = 1000, retry = 1500, wordDelay = 55 } = {}) {
  const log = new LogTail(logTo)
  const app = Fastify({
    logger: { level: 'info', stream: log },
    logController: new OneLineForEachRequest(),
    // Browsers open sockets in advance, and close() would wait for those that are never used.
    forceCloseConnections: true
  })

  app.addHook('onSend', async (request, reply) => {
    reply.header('content-security-policy', POLICY)
    if (isStream(reply)) request.log.info({ url: request.url }, 'event stream opened')
  })

  await app.register(cookie)
  await app.register(formbody)
  await app.register(assets)
  await app.register(chirp, {
    templates: fileURLToPath(new URL('views', import.meta.url)),
    debug,
    retry,
    // A browser opens six connections to a server over HTTP/1.1. Five streams leave one for pages and forms.
    maxStreamsPerClient: 5,
    clientKey: request => request.cookies.visitor ?? request.ip
  })

  // A tab that lost its connection is back in that time.
  const people = new People(app, { grace: 2 * retry })
  const machine = new Machine(app, { interval })
  const metrics = new Metrics(app, { interval })
  const notes = new NoteStore(app, notesFile)
  const errands = new Errands(app)
  log.open(app)

  const station = { errands, log, machine, metrics, notes, people, wordDelay }
  // Within reach of tests, which look whether anything is left behind.
  app.decorate('station', station)
  await app.register(routes, station)
  return app
}

const NOTES_FILE = fileURLToPath(new URL('notes.jsonl', import.meta.url))

// Fragments are HTML that is put into the page as it comes. Templates escape
// what they print; this is the second line of defence.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

class OneLineForEachRequest extends LogController {
  incomingRequest () {}

  requestCompleted (err, request, reply) {
    // The response of a stream is over when the tab is closed, and the plugin logs that.
    if (isStream(reply)) return
    const { method, url } = request
    request.log.info({ err, method, url, status: reply.statusCode, ms: reply.elapsedTime }, 'request')
  }
}

function isStream (reply) {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream')
}
