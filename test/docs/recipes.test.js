// The recipes are run.
import t from 'tap'
import { until } from '../helpers/app.js'
import { QuietClient } from '../helpers/client.js'
import { addressIn, itemsIn } from '../helpers/live.js'
import { runBlock } from '../helpers/readme.js'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const closed = app => until(() => app.eventStreams.open === 0)
const post = (app, url, payload) => app.inject({ method: 'POST', url, payload })

/** Loads a page; gives its HTML and the address that it connects to. */
async function load (app, url) {
  const { body, statusCode, headers } = await app.inject({ url, headers: { accept: 'text/html' } })
  return { body, statusCode, headers, address: statusCode === 200 ? addressIn(body) : undefined }
}

t.test('recipe: broadcast', async t => {
  const { app } = await runBlock(t, 'broadcast')
  const { address } = await load(app, '/news')
  const streams = [await new QuietClient(app).open(address), await new QuietClient(app).open(address)]
  t.equal((await post(app, '/news', { text: '<hi>' })).statusCode, 204)
  for (const stream of streams) {
    t.match(await stream.next(), { event: 'news', data: '<li>&lt;hi&gt;</li>' })
    stream.close()
  }
})

t.test('recipe: notices for one user', async t => {
  const { app, main: { notify } } = await runBlock(t, 'per-user', 'notify')
  const client = new QuietClient(app)
  const [ann, bob] = [await client.open('/notices?user=ann'), await client.open('/notices?user=bob')]
  const before = await notify('bob', 'one')
  await notify('ann', 'two')
  t.match(await ann.next(), { event: 'alert', data: '<p>two</p>' })
  t.match(await bob.next(), { event: 'alert', data: '<p>one</p>', id: before })
  await notify('bob', 'three')
  t.match(await bob.next(), { data: '<p>three</p>' })
  for (const stream of [ann, bob]) stream.close()
  const events = await client.first(1, '/notices?user=bob', { lastEventId: before })
  t.same(events.map(({ data }) => data), ['<p>three</p>'])
})

t.test('recipe: presence', async t => {
  const { app, main: { people } } = await runBlock(t, 'who', 'people')
  const client = new QuietClient(app)
  const left = []
  people.on('leave', ({ key }) => left.push(key))
  const follow = async user => client.open((await load(app, `/room?user=${user}`)).address)
  const ann = await follow('ann')
  t.match(await ann.next(), { event: 'people', data: 'Here: <b>ann</b>' })
  t.match((await load(app, '/room?user=bob')).body, 'Here: <b>ann</b>')
  const bob = await follow('bob')
  t.match(await ann.next(), { data: 'Here: <b>ann</b> <b>bob</b>' })
  bob.close()
  await until(() => people.members()[1].count === 0)
  const again = await follow('bob')
  await until(() => people.members()[1].count === 1)
  t.same(left, [], 'who reloads has not left')
  for (const stream of [ann, again]) stream.close()
  await closed(app)
})

t.test('recipe: chat', async t => {
  const { app } = await runBlock(t, 'chat')
  const client = new QuietClient(app)
  const say = text => post(app, '/chat?user=ann', { text })
  const empty = await load(app, '/')
  t.equal((await say('one')).statusCode, 204)
  const later = await load(app, '/')
  t.match(later.body, /<li id="m0">ann: one<\/li>/)
  await say('<two>')
  const dataOf = async (url, count) => (await client.first(count, url)).map(({ event, data }) => [event, data])
  const two = ['chat', '<li id="m1">ann: &lt;two&gt;</li>']
  t.same(await dataOf(empty.address, 2), [['chat', '<li id="m0">ann: one</li>'], two])
  t.same(await dataOf(later.address, 1), [two])
  t.same((await dataOf('/?lastEventId=old-1', 1)).map(([event]) => event), ['chirp:gap'])
})

t.test('recipe: progress of a job', async t => {
  const { app } = await runBlock(t, 'progress')
  const { headers: { location }, statusCode } = await post(app, '/jobs')
  t.equal(statusCode, 303)
  const other = await post(app, '/jobs')
  t.not(other.headers.location, location)
  const { body, address } = await load(app, location)
  t.match(body, /value="0"/)
  const told = [0, 25, 50, 75, 100].map(percent => `<progress max="100" value="${percent}">${percent} %</progress>`).concat('done')
  const follow = async address => {
    const { events, ended } = await new QuietClient(app).sse(address)
    t.ok(ended)
    return events.map(({ event, data }) => event === 'bar' ? data : event)
  }
  t.same(await follow(address), told)
  t.same(await follow((await load(app, location)).address), told, 'a page that is loaded after the end')
  t.equal((await load(app, '/jobs/none')).statusCode, 404)
})

t.test('recipe: an answer that survives a reload', async t => {
  const { app } = await runBlock(t, 'answer')
  const ask = async question => (await post(app, '/answers', { question })).headers.location
  const follow = async location => {
    const { events, ended } = await new QuietClient(app).sse((await load(app, location)).address)
    t.ok(ended)
    return events.map(({ event, data }) => event === 'words' ? data : event)
  }
  const location = await ask('why not <b>?')
  const told = ['You', 'asked:', 'why', 'not', '&lt;b&gt;?'].map(word => `<span>${word} </span>`).concat('done')
  t.same(await follow(location), told)
  t.same(await follow(location), told, 'a reload')
  t.match((await load(app, location)).body, `hx-post="${location}/stop"`)

  const long = await ask('why '.repeat(10_000))
  const stream = await new QuietClient(app).open((await load(app, long)).address)
  await stream.next()
  t.equal((await post(app, `${long}/stop`)).statusCode, 204)
  let last
  for (let event; (event = await stream.next()) !== undefined;) last = event
  t.equal(last.event, 'done')
  t.equal(app.job(long.split('/').at(-1)).state, 'stopped')
  t.equal((await post(app, '/answers/none/stop')).statusCode, 204)
})

t.test('recipe: sign in and sign out', async t => {
  const { app } = await runBlock(t, 'sign-in')
  const signIn = async user => {
    const { cookies: [{ name, value }], headers } = await app.inject({ method: 'POST', url: '/sign-in', headers: FORM, payload: `user=${user}` })
    t.equal(headers.location, '/')
    return { cookie: `${name}=${value}` }
  }
  const refused = await app.inject({ url: '/', headers: { accept: 'text/event-stream' } })
  t.match([refused.statusCode, refused.headers.location], [303, '/sign-in'])
  t.match(await app.inject({ url: '/', headers: { 'hx-request': 'true' } }), { statusCode: 401, headers: { 'hx-redirect': '/sign-in' } })
  t.match((await app.inject('/sign-in')).body, '<form action="/sign-in"')
  t.equal((await app.inject('/_chirp/client.js')).statusCode, 200)

  const [ann, bob] = [await signIn('ann'), await signIn('bob')]
  const client = new QuietClient(app)
  const follow = async headers => client.open(addressIn((await app.inject({ url: '/', headers })).body), { headers })
  const streams = [await follow(ann), await follow(ann)]
  const other = await follow(bob)
  t.match((await app.inject({ method: 'POST', url: '/sign-out', headers: ann })).headers, { location: '/sign-in', 'set-cookie': /^session=;/ })
  for (const stream of streams) {
    let event
    do event = await stream.next(); while (event.event === undefined)
    t.equal(event.event, 'chirp:closed')
    t.equal(await stream.next(), undefined)
  }
  t.equal(app.eventStreams.open, 1)
  t.match((await app.inject({ url: '/', headers: ann })).headers.location, '/sign-in', 'the session is over')
  other.close()
})

t.test('recipe: a dashboard', async t => {
  const { app, main: { sold } } = await runBlock(t, 'dashboard', 'sold')
  sold(1)
  const { address, body } = await load(app, '/dashboard')
  t.match(body, /sse-swap="orders"/)
  const stream = await new QuietClient(app).open(address)
  const seen = new Map()
  const look = async () => {
    const { event, data } = await stream.next()
    seen.set(event, data)
  }
  while (seen.size < 2) await look()
  t.same(seen.get('orders'), '1')
  t.match(seen.get('load'), /^[\d.]+$/)
  for (let count = 2; count <= 10; count++) sold(count)
  while (seen.get('orders') !== '10') await look()
  stream.close()
  await closed(app)
  await app.close()
  t.equal(app.eventStreams.errors, 0)
})

t.test('recipe: a live chart', async t => {
  const { app } = await runBlock(t, 'chart')
  const { address, body } = await load(app, '/memory')
  t.match(body, /<polyline [^>]*points=""\/>/)
  const stream = await new QuietClient(app).open(address)
  let event
  do event = await stream.next(); while (!event.data.includes('points="0,'))
  t.match(event, { event: 'signal:memory', data: /^<svg [^]*aria-label="\d+ % in use">[^]*points="0,\d+ "/ })
  stream.close()
  await closed(app)
})

t.test('recipe: a chart from JSON', async t => {
  const { app, main: { add } } = await runBlock(t, 'prices', 'add')
  const read = async () => {
    const { body } = await app.inject('/prices')
    const [, prices, address] = /data-prices="(.*?)" data-live="(.*?)"/.exec(body)
    return { prices: JSON.parse(prices), address }
  }
  const { address } = await read()
  await add(14)
  const [event] = await new QuietClient(app).first(1, address)
  t.match(event, { event: 'price', data: '14' })
  const later = await read()
  t.same(later.prices, [10, 12, 14])
  await add(16)
  t.match(await new QuietClient(app).first(1, later.address), [{ event: 'price', data: '16' }], 'no value twice')
})

t.test('recipe: different HTML for different viewers', async t => {
  const { app, main: { add } } = await runBlock(t, 'roles', 'add')
  const client = new QuietClient(app)
  const addresses = [(await load(app, '/tickets?role=admin')).address, (await load(app, '/tickets?role=guest')).address]
  await add('Lamp')
  for (const [n, address] of addresses.entries()) {
    const [{ event, data }] = await client.first(1, address)
    t.same([event, itemsIn(data)], ['tickets', [n === 0 ? 'Lamp <button>Close</button>' : 'Lamp']])
  }
})
