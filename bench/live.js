// What a live view costs, against rendering for each connection, and against polling.
//
//   npm run bench:live                     1,000 followers, 100 changes a second, for 5 s each
//   node bench/live.js --followers 100 --seconds 2
//
// All in one process and without sockets: what is compared is the work of
// contexts, renders and encoding. Every contestant renders the same two blocks.
import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { Fragment, kAttach } from '../dist/index.js'

const { values } = parseArgs({ options: { followers: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '5' } } })
const FOLLOWERS = Number(values.followers)
const SECONDS = Number(values.seconds)
const CHANGES_PER_SECOND = 100

const TEMPLATE = `<h1 {{ sse_swap("header") }}>{% block header %}{{ ticket.title }} ({{ ticket.count }}){% endblock %}</h1>
<ul {{ sse_swap("comments") }}>{% block comments %}{% for comment in comments %}<li><b>{{ comment.author }}</b> {{ comment.text }}</li>{% endfor %}{% endblock %}</ul>
<footer {{ sse_swap("footer") }}>{% block footer %}{{ legal }}{% endblock %}</footer>`

const env = new nunjucks.Environment({ getSource: name => ({ src: TEMPLATE, path: name, noCache: false }) }, { autoescape: true })
const app = Fastify()
await app.register(chirp, { templates: env, debug: false })
const data = { ticket: { title: 'A ticket', count: 0 }, comments: Array.from({ length: 20 }, (_, n) => ({ author: `author ${n}`, text: 'A comment of a usual length, with some words' })), legal: 'Legal' }
const counts = { contexts: 0, renders: 0, bytes: 0 }
const context = async () => {
  counts.contexts++
  return { ...data }
}
const render = async (block, variables) => {
  counts.renders++
  return app.renderFragment(new Fragment('ticket.html', block, variables))
}
const change = () => { data.comments[data.ticket.count++ % 20].text = `Comment of change ${data.ticket.count}` }
const PATHS = ['ticket.count', 'comments']
const BLOCKS = ['header', 'comments']
await app.ready()

const contestants = {
  'live view': {
    start () {
      const view = app.liveView('ticket', { template: 'ticket.html', context })
      const { encode } = htmx2()
      const outlet = () => ({
        isBlocked: false, dialect: { name: 'htmx2', encode }, share: ({ size }) => { counts.bytes += size }, send () {}, flush () {}, ended () {}, failed (error) { throw error }
      })
      const attachments = Array.from({ length: FOLLOWERS }, () => view.source('7')[kAttach](outlet(), ''))
      return { changed: () => view.changed('7', PATHS), stop: () => attachments.forEach(attachment => attachment.detach()) }
    },
    renders: () => app.eventStreams.renders
  },
  'each connection renders': {
    start () {
      return {
        changed: async () => {
          for (let n = 0; n < FOLLOWERS; n++) {
            const variables = await context()
            for (const block of BLOCKS) counts.bytes += (await render(block, variables)).length
          }
        },
        stop () {}
      }
    }
  },
  'each connection polls once a second': {
    start () {
      const timers = Array.from({ length: FOLLOWERS }, (_, n) => {
        let before = []
        const poll = async () => {
          const variables = await context()
          const html = await Promise.all(BLOCKS.map(block => render(block, variables)))
          html.forEach((text, n) => { if (text !== before[n]) counts.bytes += text.length })
          before = html
        }
        return setInterval(poll, 1000)
      })
      return { changed () {}, stop: () => timers.forEach(clearInterval) }
    }
  }
}

console.log(`${FOLLOWERS} followers, ${CHANGES_PER_SECOND} changes a second, wanted for ${SECONDS} s\n`)
console.log('| | changes | contexts | renders | renders per change | ms of CPU per change | most changes a second |\n|---|--:|--:|--:|--:|--:|--:|')
for (const [name, { start, renders = () => counts.renders }] of Object.entries(contestants)) {
  const { changed, stop } = start()
  await wait(200)
  Object.assign(counts, { contexts: 0, bytes: 0 })
  const before = renders()
  const cpu = process.cpuUsage()
  const began = performance.now()
  let changes = 0
  while (performance.now() - began < SECONDS * 1000) {
    const next = began + ++changes * 1000 / CHANGES_PER_SECOND
    change()
    await changed()
    await wait(Math.max(0, next - performance.now()))
  }
  const { user, system } = process.cpuUsage(cpu)
  const rendered = renders() - before
  const perChange = (user + system) / 1000 / changes
  console.log(`| ${name} | ${changes} | ${counts.contexts} | ${rendered} | ${(rendered / changes).toFixed(2)} | ${perChange.toFixed(2)} | ${Math.round(1000 / perChange)} |`)
  stop()
}
await app.close()

function htmx2 () {
  return { encode: ({ target, id, data }) => `event: ${target}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n` }
}
