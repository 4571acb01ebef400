// Signals and derived values.
import Fastify from 'fastify'
import type { DerivedOptions, SetOptions, SignalFeed, SignalOptions, SignalsOptions } from 'fastify-chirp'
import chirp, { type Derived, Fragment, merge, type Signal } from 'fastify-chirp'

const app = Fastify()
await app.register(chirp)

const balance = app.signal('balance', { initial: 0 })
export const number: number = balance.value
const holdings = app.signal('holdings', { initial: async () => ({ sum: 1 }) })
export const sum: number = holdings.value.sum
const made = app.signal('made', { initial: () => 'text' })
export const text: string = made.value
const open = app.signal<string>('open')
export const maybe: string | undefined = open.value
export const again: Signal = app.signal('balance')
const load = app.signal('load', {
  source: async function * ({ signal, log }) {
    log.info(String(signal.aborted))
    yield 1.5
  },
  render: value => new Fragment('page.html', 'load', { value }),
  equals: (before, after) => before === after
})
export const loaded: number | undefined = load.value

const net = app.derived('net', [balance, holdings, open, 'load'], (balance, { sum }, open, load: number) => balance + sum + open.length + load, {
  render: value => value.toFixed(2),
  equals: (before, after) => Math.abs(before - after) < 1
})
export const derived: Derived<number> = net
export const value: number | undefined = net.value
export const twice: Derived<string> = app.derived('twice', [net], net => String(2 * net))

export const done: Promise<void> = balance.set(7, { audience: { user: 'ann' } })
balance.set(undefined, { audience: { user: 'ann' } })
const feed: SignalFeed = app.signals<{ user: string }>({ only: [balance, net, 'load'], filter: audience => audience.user === 'ann' })
app.get('/', { live: true }, (request, reply) => reply.page('page.html', {}, { live: merge(feed, app.channel('news')) }))
app.get('/stream', (request, reply) => reply.eventStream(app.signals()))
export const options: [SignalOptions<number>, DerivedOptions<number>, SetOptions<string>, SignalsOptions<string>] = [
  { initial: 1 }, { equals: Object.is }, { audience: 'a' }, { filter: audience => audience === 'a' }
]

// @ts-expect-error a number
balance.set('7')
// @ts-expect-error nobody sets what is derived
net.set(1)
// @ts-expect-error a value is read only
balance.value = 1
// @ts-expect-error a misspelt option
app.signal('a', { intial: 0 })
// @ts-expect-error dependencies are a list
app.derived('a', balance, () => 1)
// @ts-expect-error a derived value answers at once
app.derived('a', [balance], () => 1, { render: async () => 'a' })
