// What tests of viewers share: templates that tell who looks at them, and how often they were rendered.
import { Fragment } from 'fastify-chirp'
import { buildApp } from './app.js'
import { countingEnvironment } from './renderer.js'
import { TestClient } from 'fastify-chirp/testing'

const templates = {
  'item.html': `
    {%- block item %}{{ count() }}<b>{{ viewer.role if viewer else "nobody" }}: {{ text }}</b>{% endblock %}
    {%- block whole %}{{ count() }}{{ viewer | dump | safe }} {{ n }}{% endblock %}
    {%- block late %}{{ count() }}{{ viewer | dump | late(n) | safe }}{% endblock %}
    {%- block fails %}{% if viewer.role == "bad" %}{{ nothing() }}{% endif %}{{ viewer.role }}{% endblock %}
    {%- block changes %}{{ list.push(viewer.role) }} {{ list.join() }}{% endblock %}`
}

export function environment () {
  const { env, rendered } = countingEnvironment(templates)
  const waiting = []
  // Later ones are done first: `release()` goes backwards. A text that starts with ! fails.
  env.addFilter('late', (value, n, callback) => {
    const done = () => String(n).startsWith('!') ? callback(new Error('late')) : callback(null, `${value} ${n}`)
    waiting.push(done)
    rendered.waiting?.()
  }, true)
  const release = (count = waiting.length) => { for (const done of waiting.splice(0, count).reverse()) done() }
  return { env, rendered, waiting, release }
}

/** An app with one channel for viewers; `/?viewer=JSON` streams it. */
export async function buildViewers (t, { options, plugin } = {}) {
  const { env, rendered, waiting, release } = environment()
  const app = await buildApp(t, { templates: env, ...plugin })
  const channel = app.channel('a', { viewer: true, ...options })
  app.get('/', (request, reply) => {
    const { viewer } = request.query
    return reply.eventStream(viewer === undefined ? channel : channel.subscribe({ viewer: JSON.parse(viewer) }))
  })
  return { app, channel, client: new TestClient(app), rendered, waiting, release }
}

export const url = viewer => `/?viewer=${encodeURIComponent(JSON.stringify(viewer))}`

export const item = (text, options = { target: 'list' }) => new Fragment('item.html', 'item', { text }, options)

export const block = (name, context, options) => new Fragment('item.html', name, context, options)
