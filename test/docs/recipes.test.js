// The recipes are run.
import t from 'tap'
import { until } from '../helpers/app.js'
import { QuietClient } from '../helpers/client.js'

import { runBlock } from '../helpers/readme.js'

t.test('recipe: broadcast', async t => {
  const { app } = await runBlock(t, 'broadcast')
  const streams = [await new QuietClient(app).open('/news'), await new QuietClient(app).open('/news')]
  t.equal((await app.inject({ method: 'POST', url: '/news', payload: { text: '<hi>' } })).statusCode, 204)
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
  const ann = await client.open('/room?user=ann')
  t.match(await ann.next(), { event: 'people', data: '<p>1 here: ann </p>' })
  const bob = await client.open('/room?user=bob')
  t.match(await bob.next(), { event: 'people', data: '<p>2 here: ann bob </p>' })
  bob.close()
  t.match(await ann.next(), { data: '<p>2 here: ann bob </p>' })
  t.match(await ann.next(), { data: '<p>1 here: ann </p>' })
  ann.close()
  await until(() => people.size === 0)
})

t.test('recipe: chat', async t => {
  const { app } = await runBlock(t, 'chat')
  const client = new QuietClient(app)
  const say = text => app.inject({ method: 'POST', url: '/chat?user=ann', payload: { text } })
  const open = async () => /sse-connect="(.+?)"/.exec((await app.inject('/')).body)[1]
  const empty = await open()
  await say('one')
  const page = await app.inject('/')
  t.match(page.body, /<li><b>ann<\/b> one<\/li>/)
  const later = await open()
  await say('two')
  const dataOf = async (url, count) => (await client.first(count, url)).map(({ event, data }) => [event, data])
  t.same(await dataOf(empty, 2), [['message', '<li><b>ann</b> one</li>'], ['message', '<li><b>ann</b> two</li>']])
  t.same(await dataOf(later, 1), [['message', '<li><b>ann</b> two</li>']])
  t.same((await dataOf('/chat?lastEventId=old-1', 1)).map(([event]) => event), ['chirp:gap'])
})

t.test('recipe: progress of a job', async t => {
  const { app } = await runBlock(t, 'progress')
  const client = new QuietClient(app)
  const { headers: { location } } = await app.inject({ method: 'POST', url: '/jobs' })
  const other = await app.inject({ method: 'POST', url: '/jobs' })
  const { body } = await app.inject(location)
  t.match(body, /value="0"/)
  const [, url] = /sse-connect="(.+?)"/.exec(body)
  const bars = [25, 50, 75, 100].map(percent => `<progress max="100" value="${percent}">${percent} %</progress>`)
  const { events } = await client.sse(url, { maxEvents: 5 })
  t.same(events.map(({ event, data }) => event === 'bar' ? data : event), [...bars, 'done'])
  t.equal(new Set(events.map(({ id }) => id)).size, 5)
  const late = await app.inject(location)
  t.match(late.body, /value="100"/)
  const [, after] = /sse-connect="(.+?)"/.exec(late.body)
  t.same((await client.sse(after, { maxEvents: 1 })).events.map(({ event }) => event), ['done'])
  t.match((await app.inject(other.headers.location)).body, /<progress/)
  t.equal((await app.inject('/jobs/none')).statusCode, 404)
})

t.test('recipe: an answer that survives a reload', async t => {
  const { app, main: { answers } } = await runBlock(t, 'answer', 'answers')
  const client = new QuietClient(app)
  const { headers: { location } } = await app.inject({ method: 'POST', url: '/answers', payload: { question: 'why not <b>?' } })
  const [answer] = answers.values()
  await until(() => answer.words.length === 2)
  const { body } = await app.inject(location)
  const shown = [...body.matchAll(/<span>.*?<\/span>/g)].map(([span]) => span)
  t.same(shown.slice(0, 2), ['<span>You </span>', '<span>asked: </span>'])
  const [, url] = /sse-connect="(.+?)"/.exec(body)
  const { events } = await client.sse(url, { maxEvents: 6 - shown.length })
  const rest = events.map(({ event, data }) => event === 'word' ? data : event)
  t.same([...shown, ...rest], ['You', 'asked:', 'why', 'not', '&lt;b&gt;?'].map(word => `<span>${word} </span>`).concat('done'))
  t.notMatch((await app.inject(location)).body, /sse-connect/)
})
