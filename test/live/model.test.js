// Random changes, disconnects, failures, restarts and lost events, in several
// processes: when it is quiet, each page shows what a page loaded now shows,
// and on the way no page ever showed something older than before.
import t from 'tap'
import { quiet, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const FIELDS = ['one', 'two', 'three']
const TEMPLATE = `<main {{ sse_connect() }}>{% macro show(n) %}{{ n }}{% endmacro %}
<b {{ sse_swap("first") }}>{% block first %}{{ show(data.one) }} {{ viewer }}{% endblock %}</b>
<b {{ sse_swap("second") }}>{% block second %}{{ data.two | fallible }}{% endblock %}</b>
<b {{ sse_swap("both") }}>{% block both %}{{ data.two }} {{ data.three | waits }}{% endblock %}</b></main>`

function mulberry (seed) {
  return () => {
    seed = seed + 0x6D2B79F5 | 0
    let x = Math.imul(seed ^ seed >>> 15, 1 | seed)
    x = x + Math.imul(x ^ x >>> 7, 61 | x) ^ x
    return ((x ^ x >>> 14) >>> 0) / 2 ** 32
  }
}

const numbersIn = text => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits))

for (const [name, processes, lag] of [['in memory', 1, undefined], ['three processes', 3, false], ['three processes that hear late', 3, true]]) {
  for (const seed of [1, 2]) {
    t.test(`${name}, seed ${seed}`, async t => {
      const random = mulberry(seed)
      const pick = list => list[Math.floor(random() * list.length)]
      const shared = lag === undefined ? undefined : new AsyncEngine({ random, lag })
      const data = new Map(['a', 'b'].map(key => [key, { one: 0, two: 0, three: 0 }]))
      const trouble = { context: false, block: false, deaf: new Set() }
      let count = 0

      const build = async n => {
        const engine = shared && {
          publish: (...args) => shared.publish(...args),
          read: (...args) => shared.read(...args),
          listen: (topic, listener) => shared.listen(topic, event => { if (!trouble.deaf.has(n)) listener(event) }),
          close () {}
        }
        const built = await buildTickets(t, {
          template: TEMPLATE,
          engine,
          view: { viewer: request => request.headers['x-user'], delay: Math.floor(random() * 5) },
          context: async (id, { viewer }) => {
            if (random() < 0.3) await quiet(random() * 4)
            if (trouble.context) throw new Error('no database')
            return { data: { ...data.get(id) }, viewer }
          }
        })
        built.env.addFilter('fallible', value => {
          if (trouble.block) throw new Error('no block')
          return value
        })
        built.env.addFilter('waits', (value, callback) => { setImmediate(callback, null, value) }, true)
        return built
      }
      const apps = []
      for (let n = 0; n < processes; n++) apps.push(await build(n))

      const pages = []
      const follow = async page => {
        const { stream } = page
        for (;;) {
          const before = new Map(page.parts)
          const event = await page.next()
          if (event === undefined || page.stream !== stream) return
          if (event.event?.startsWith('chirp:')) return t.fail(`${event.event} ${event.data}`)
          const old = numbersIn(before.get(event.event))
          numbersIn(event.data).forEach((n, i) => { if (n < old[i]) t.fail(`${event.event} was ${before.get(event.event)}, is ${event.data}`) })
        }
      }
      const connect = async page => {
        page.app = pick(apps).app
        await page.connect(random() < 0.1 ? { cursor: pick(['', 'x', 'zzz-1']) } : {})
        page.isOpen = true
        page.following = follow(page)
      }
      const load = async () => {
        const page = await Page.load(pick(apps).app, `/tickets/${pick([...data.keys()])}`, { 'x-user': pick(['1', '2']) })
        if (page.status !== 200) return
        pages.push(page)
        await connect(page)
      }
      const disconnect = async page => {
        page.isOpen = false
        await page.close()
        await page.following
      }
      const change = async () => {
        const key = pick([...data.keys()])
        const fields = FIELDS.filter(() => random() < 0.4)
        for (const field of fields) data.get(key)[field] = ++count
        await pick(apps).view.changed(key, random() < 0.2 ? undefined : fields.map(field => `data.${field}`)).catch(() => {})
      }
      const steps = [
        change, change, change, change, load,
        async () => { const page = pick(pages); if (page?.isOpen) await disconnect(page) },
        async () => { const page = pick(pages); if (page?.isOpen === false) await connect(page) },
        async () => { trouble.context = random() < 0.3 },
        async () => { trouble.block = random() < 0.3 },
        async () => { if (processes > 1) { if (random() < 0.4) trouble.deaf.add(pick([0, 1, 2])); else trouble.deaf.clear() } },
        async () => { await quiet(random() * 10) },
        async () => {
          if (processes === 1 || random() < 0.8) return
          const n = Math.floor(random() * processes)
          const { app } = apps[n]
          apps[n] = await build(n)
          for (const page of pages) if (page.isOpen && page.app === app) await disconnect(page)
          await app.close()
        }
      ]
      for (let n = 0; n < 150; n++) await pick(steps)()

      Object.assign(trouble, { context: false, block: false })
      trouble.deaf.clear()
      for (const page of pages) if (page.isOpen === false) await connect(page)
      // What was lost is noticed with the next that comes.
      for (const key of data.keys()) for (const { view } of apps) await view.changed(key, ['nothing'])
      for (const page of pages) {
        const { parts } = await Page.load(apps[0].app, page.path, page.headers)
        await until(() => [...parts].every(([place, text]) => page.parts.get(place) === text), `${page.path} shows ${JSON.stringify([...parts])}`)
      }
      t.ok(pages.length > 0)
      for (const page of pages) await disconnect(page)
    })
  }
}
