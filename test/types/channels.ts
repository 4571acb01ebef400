// Channels whose audiences and events have types, and contexts that are objects of any kind.
import Fastify from 'fastify'
import type { Channel, Member, Presence } from 'fastify-chirp'
import chirp, { Fragment, merge } from 'fastify-chirp'

const app = Fastify()
await app.register(chirp)

interface Team { team: string }
interface Item { title: string, price: number }
class View { constructor (readonly item: Item) {} }

const orders = app.channel<Team, Fragment | Item>('orders', { history: 10 })
await orders.publish({ title: 'a', price: 1 }, { audience: { team: 'a' } })
await orders.publish(new Fragment('a.html', 'b'))
await orders.publish(new Fragment('a.html', 'b'), { audience: undefined })
// @ts-expect-error another audience
await orders.publish(new Fragment('a.html', 'b'), { audience: 'a' })
// @ts-expect-error another event
await orders.publish('text')
// @ts-expect-error a misspelt option
await orders.publish(new Fragment('a.html', 'b'), { audiance: { team: 'a' } })
app.get('/a', { live: true }, (request, reply) => reply.eventStream(orders.subscribe({ filter: ({ team }) => team === 'a' })))
// @ts-expect-error a filter of another audience
orders.subscribe({ filter: (audience: number) => audience === 1 })
// @ts-expect-error a filter that answers later
orders.subscribe({ filter: async () => true })
// @ts-expect-error a misspelt option
orders.subscribe({ lastEventID: '7' })
app.get('/b', { live: true }, (request, reply) => reply.eventStream(orders))
app.get('/c', { live: true }, () => merge(orders, app.channel('plain'), ['a']))
export const plain: Channel = app.channel('plain')
await plain.publish('anything', { audience: 1 })

// What a source gives is typed as what is published.
app.channel<Team, Item>('sourced', {
  latest: true,
  ttl: 5000,
  every: 100,
  linger: 0,
  async * source ({ signal, log }) {
    log.info(signal.aborted)
    yield { title: 'a', price: 1 }
  }
})
app.channel<Team, Item>('lists', { source: () => [{ title: 'a', price: 1 }] })
app.channel<Team, Item>('later', { source: async () => new Set([{ title: 'a', price: 1 }]) })
app.channel<Team, Item>('readable', { source: () => process.stdin })
// @ts-expect-error another event
app.channel<Team, Item>('another', { source: async function * () { yield 'text' } })
// @ts-expect-error a source is a function
app.channel('iterable', { source: ['a'] })
// @ts-expect-error a misspelt option
app.channel('misspelt', { tll: 5 })
const ticks = app.channel('ticks', { source: async function * () { yield 'tick' } })
// What a source gives says nothing of what else may be published.
await ticks.publish({ any: 'thing' })
const removed: Promise<void> = orders.remove('name', { audience: { team: 'a' } })
await removed
// @ts-expect-error another audience
await orders.remove('name', { audience: 'a' })

interface Person { name: string }
const people = orders.presence<Person>()
people.join('ann', { info: { name: 'Ann' } })
people.join('bob')
// @ts-expect-error another info
people.join('eve', { info: 'Eve' })
// @ts-expect-error a misspelt option
people.join('eve', { inof: { name: 'Eve' } })
people.on('join', ({ info }) => info.name.length)
// @ts-expect-error there is no such event
people.on('come', () => {})
export const members: Array<Member<Person>> = people.members()
export const anyone: Presence = plain.presence()

const item: Item = { title: 'a', price: 1 }
export const fragments = [new Fragment('a.html', 'b', item), new Fragment('a.html', 'b', new View(item))]
app.get('/d', (request, reply) => reply.page('a.html', item))
app.get('/e', (request, reply) => reply.fragment('a.html', 'b', new View(item)))
// @ts-expect-error text is no context
app.get('/f', (request, reply) => reply.page('a.html', 'text'))
// @ts-expect-error a misspelt option
app.get('/g', (request, reply) => reply.page('a.html', item, { blok: 'b' }))
// @ts-expect-error a misspelt option
export const misspelt = new Fragment('a.html', 'b', {}, { tagret: 'c' })
// @ts-expect-error live is true or false
app.get('/h', { live: 'yes' }, () => {})
// @ts-expect-error a number is no source
app.get('/i', { live: true }, (request, reply) => reply.eventStream(() => 5))

const tickets = app.channel<Team>('tickets', { viewer: true })
app.get('/j', { live: true }, () => merge(tickets.subscribe({ viewer: { role: 'admin' } }), people.track('ann', { info: { name: 'Ann' } })))
tickets.subscribe({ viewer: null, filter: ({ team }) => team === 'a' })
// @ts-expect-error a misspelt option
tickets.subscribe({ veiwer: 1 })
// @ts-expect-error viewers are of subscribe()
app.channel('k', { viewer: { role: 'admin' } })
export const guests: Presence<Person> = tickets.presence<Person>({ grace: 5000 })
app.get('/l', { live: true }, (request, reply) => reply.eventStream(guests.track('ann')))
// @ts-expect-error another info
guests.track('ann', { info: 'Ann' })
// @ts-expect-error a stream is the signal
guests.track('ann', { signal: new AbortController().signal })
// @ts-expect-error a grace is a number
tickets.presence({ grace: '5s' })
// Pages with their stream on one route.
app.get('/pj', { live: true }, (request, reply) => reply.page('a.html', () => ({ items: [item] }), { live: orders, cursor: ({ items }) => items.at(-1)?.price }))
app.get('/pk', (request, reply) => reply.page('a.html', async () => item, { live: merge(orders, plain), cursor: async ({ title }) => title, stream: { retry: 5 } }))
app.get('/pl', (request, reply) => reply.page('a.html', item, { live: plain.subscribe(), cursor: 7, block: 'b' }))
// @ts-expect-error a generator cannot say where it is
app.get('/pm', (request, reply) => reply.page('a.html', item, { live: (function * () {})() }))
// @ts-expect-error the context has no such variable
app.get('/pn', (request, reply) => reply.page('a.html', () => item, { live: plain, cursor: ({ missing }) => missing }))
// @ts-expect-error a misspelt option of the stream
app.get('/o', (request, reply) => reply.page('a.html', item, { live: plain, stream: { retri: 5 } }))
export const places: Array<Promise<string>> = [orders.cursor(), plain.subscribe().cursor(), merge(orders).cursor()]
