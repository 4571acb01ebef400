// Who sees what, and that nobody else does.
import t from 'tap'
import { merge } from 'fastify-chirp'
import { quiet, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'
import { buildTickets, contextOf, Page, TICKET } from '../helpers/live-views.js'

const SECRET = TICKET.replace('{{ ticket.title }}', '{{ viewer.role if viewer else "none" }} {{ ticket.title }}')

/** Tickets of owners; `x-user` is who asks, and `roles` are theirs. */
async function build (t, { authorize, ...options } = {}) {
  const owners = new Map([['7', new Set(['ann', 'bob'])], ['8', new Set(['eve'])]])
  const roles = new Map([['ann', 'admin'], ['bob', 'user'], ['eve', 'user'], ['kim', 'user']])
  const asked = []
  const built = await buildTickets(t, {
    template: SECRET,
    ...options,
    view: {
      viewer: request => ({ role: roles.get(request.headers['x-user']) ?? 'none' }),
      authorize: async (request, id) => {
        asked.push([request.headers['x-user'], id])
        await authorize?.()
        return owners.get(id)?.has(request.headers['x-user'])
      },
      ...options.view
    }
  })
  built.tickets.set('8', { title: 'Eight', total: 8, comments: ['secret of eve'] })
  return { ...built, owners, roles, asked, as: (user, id = '7') => Page.load(built.app, `/tickets/${id}`, { 'x-user': user }) }
}

t.test('a key of somebody else: no page, no stream, no word of it', async t => {
  const { app, as, asked, calls } = await build(t)
  for (const accept of ['text/html', 'text/event-stream']) {
    for (const method of ['GET', 'HEAD']) {
      for (const query of ['', '?lastEventId=', '?lastEventId=x']) {
        const response = await app.inject({ method, url: `/tickets/8${query}`, headers: { accept, 'x-user': 'ann' } })
        t.equal(response.statusCode, 403, `${method} ${accept} ${query}`)
        t.notMatch(response.body, /Eight|eve|8"/)
      }
    }
  }
  t.equal(calls.length, 0)
  t.same(asked[0], ['ann', '8'])
  t.equal((await as('eve', '8')).status, 200)
})

t.test('viewers share what is rendered only when they are equal', async t => {
  const { app, view, tickets, as, calls } = await build(t)
  const pages = await Promise.all(['ann', 'bob', 'bob'].map(user => as(user)))
  for (const page of pages) await page.connect()
  calls.length = 0
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  for (const page of pages) await page.take(1)
  t.same(pages.map(({ parts }) => parts.get('header')), ['admin New', 'user New', 'user New'])
  t.same(calls.map(([, { viewer }]) => viewer.role).sort(), ['admin', 'user'])
  t.equal(app.eventStreams.renders, 2)
  for (const page of pages) await page.close()
})

t.test('a viewer is a copy: no context changes that of another one', async t => {
  const { view, as } = await build(t, {
    context: (_id, { viewer }, ticket) => {
      const context = contextOf(ticket, { viewer: { ...viewer } })
      viewer.role = 'admin'
      return context
    }
  })
  const page = await as('bob')
  t.match(page.parts.get('header'), /^user/)
  await page.connect()
  for (let n = 0; n < 2; n++) {
    await view.changed('7', ['ticket.title', 'viewer'])
    if (n === 0) await page.take(1)
    t.match(page.parts.get('header'), /^user/)
  }
  await page.close()
})

for (const [name, createEngine] of [['in memory', () => undefined], ['with an engine', () => new AsyncEngine()]]) {
  t.test(`${name}: who may not look any more is closed, and is sent nothing from then on`, async t => {
    const gate = { open: undefined, closed: Promise.resolve() }
    const { app, view, tickets, owners, as } = await build(t, { engine: createEngine(), authorize: () => gate.closed })
    const [ann, bob] = [await as('ann'), await as('bob')]
    await ann.connect()
    await bob.connect()
    tickets.get('7').total = 2
    await view.changed('7', ['ticket.total'])
    await ann.take(1)
    await bob.take(1)
    // An engine may tell of a change that was read before.
    await quiet(50)
    const { renders } = app.eventStreams
    owners.get('7').delete('bob')
    gate.closed = new Promise(resolve => { gate.open = resolve })
    const checked = view.recheck('7')
    tickets.get('7').title = 'secret'
    await view.changed('7', ['ticket.title'])
    await until(() => app.eventStreams.renders === renders + 2)
    t.equal(await ann.next(20), undefined, 'nobody is sent anything until it is known')
    t.equal(await bob.next(20), undefined)
    gate.open()
    t.equal(await checked, 1)
    t.same(await bob.take(1), ['chirp:closed'])
    t.equal(await bob.next(), undefined)
    t.same(await ann.take(1), ['header'])
    t.equal((await bob.load()).status, 403)
    t.equal(await view.recheck('8'), 0)
    await ann.close()
  })
}

t.test('the right to look is asked for again when that changes while a stream starts', async t => {
  let wait
  const { app, view, owners, as, asked } = await build(t, { authorize: () => wait })
  const page = await as('bob')
  let go
  wait = new Promise(resolve => { go = resolve })
  const connecting = page.connect()
  await until(() => asked.length === 2)
  wait = undefined
  owners.get('7').delete('bob')
  // Its answer is on its way: yes.
  owners.get('7').has = user => { delete owners.get('7').has; return user === 'bob' }
  view.recheck('7')
  go()
  await connecting
  t.same(await page.take(1), ['chirp:closed'])
  t.equal(asked.length, 3)
  await until(() => app.eventStreams.open === 0)
})

t.test('one whose viewer is another one now sees what that one sees', async t => {
  const { app, view, tickets, roles, as } = await build(t)
  const page = await as('ann')
  await page.connect()
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  await page.take(1)
  t.equal(page.parts.get('header'), 'admin New')
  roles.set('ann', 'user')
  t.equal(await view.recheck('7'), 0)
  await page.take(3)
  t.equal(page.parts.get('header'), 'user New')
  const { renders } = app.eventStreams
  tickets.get('7').title = 'Newer'
  await view.changed('7', ['ticket.title'])
  await page.take(1)
  t.equal(page.parts.get('header'), 'user Newer')
  t.equal(app.eventStreams.renders, renders + 1, 'nothing is rendered for who it was')
  await page.close()
})

t.test('a check that fails lets nobody look', async t => {
  let fails = true
  const { app, view, as } = await build(t, { authorize: () => { if (fails) throw new Error('no database') } })
  t.equal((await as('ann')).status, 500)
  fails = false
  const page = await as('ann')
  await page.connect()
  fails = true
  t.equal(await view.recheck('7'), 1)
  t.same(await page.take(1), ['chirp:error'])
  t.equal(await page.next(), undefined)
  t.equal(app.eventStreams.errors, 1)
})

t.test('a source in a merge asks by itself, and a refusal ends all of it', async t => {
  const { app, view, tickets } = await build(t)
  app.get('/both/:id', { live: true }, (request, reply) => reply.eventStream(merge(view.source(request.params.id, request), app.channel('news'))))
  const bob = await Object.assign(new Page(app, '', { 'x-user': 'bob' }), { address: '/both/7' }).connect()
  t.same((await bob.take(3)).sort(), ['comments', 'header', 'total'])
  const ann = await Object.assign(new Page(app, '', { 'x-user': 'ann' }), { address: '/both/8' }).connect()
  t.same(await ann.take(1), ['chirp:closed'])
  t.equal(await ann.next(), undefined)
  tickets.get('8').title = 'secret'
  await view.changed('8')
  await quiet(20)
  t.equal(app.eventStreams.open, 1)
  t.throws(() => view.source('7'), { code: 'FST_CHIRP_OPTION', message: /needs the request/ })
  await bob.close()
})

t.test('one that has left while it was asked who may look', async t => {
  let go
  const wait = new Promise(resolve => { go = resolve })
  const { app, view, tickets, calls } = await build(t, { authorize: () => wait })
  app.get('/both/:id', { live: true }, (request, reply) => reply.eventStream(merge(view.source(request.params.id, request), app.channel('news'))))
  const bob = await Object.assign(new Page(app, '', { 'x-user': 'bob' }), { address: '/both/7' }).connect()
  await bob.close()
  await until(() => app.eventStreams.open === 0)
  go()
  await wait
  tickets.get('7').title = 'other'
  await view.changed('7')
  await quiet(20)
  t.same(calls, [], 'nothing is rendered for it')
})

t.test('cursors of others, and forged ones, bring nothing of others', async t => {
  const { app, view, tickets, as } = await build(t)
  const eve = await as('eve', '8')
  await view.changed('8')
  tickets.get('7').title = 'Mine'
  const mine = await as('ann')
  for (const cursor of [eve.cursor, eve.cursor.replace('-0', '-1'), `${eve.cursor}~${mine.cursor}`, '["comments"]', 'ticket.*', '__proto__', 'x'.repeat(5000)]) {
    const page = await Object.assign(new Page(app, '', { 'x-user': 'ann' }), { address: '/tickets/7' }).connect({ cursor })
    if (cursor.includes('~')) {
      // It holds the place of this key.
      t.equal(await page.next(20), undefined)
    } else {
      await page.take(3)
      t.match(page.parts.get('header'), 'admin Mine')
    }
    t.notMatch(JSON.stringify(page.events), /secret|Eight/)
    await page.close()
  }
})

t.test('what happens to another key is not seen in ids', async t => {
  const { view, as } = await build(t)
  const before = await as('ann')
  for (let n = 0; n < 20; n++) await view.changed('8')
  t.equal((await as('ann')).cursor, before.cursor)
})

t.test('views and keys whose names run into each other share nothing', async t => {
  const { app, view, tickets } = await buildTickets(t, { route: false })
  const other = app.liveView('ticket:a', { template: 'ticket.html', context: () => contextOf(tickets.get('7')) })
  app.get('/one', { live: true }, (request, reply) => reply.live(view, 'a:7'))
  app.get('/other', { live: true }, (request, reply) => reply.live(other, '7'))
  tickets.set('a:7', tickets.get('7'))
  const [one, two] = [await Page.load(app, '/one'), await Page.load(app, '/other')]
  t.not(one.cursor.split('-')[0], two.cursor.split('-')[0])
})

t.test('a viewer that is no plain data', async t => {
  const { as, app } = await build(t, { view: { viewer: () => ({ role: () => 'admin' }) } })
  const page = await as('ann')
  t.equal(page.status, 500)
  t.match(page.body, /option \\"viewer\\" of app\.liveView\('ticket'\) must be plain data/)
  t.equal(app.eventStreams.open, 0)
})

t.test('more than a thousand viewers of a key are told of once', async t => {
  const { app } = await buildTickets(t, { template: SECRET, view: { viewer: request => request.headers['x-user'] } })
  const page = await Page.load(app, '/tickets/7')
  const pages = []
  for (let n = 0; n < 1002; n++) pages.push(await Object.assign(new Page(app, '', { 'x-user': `user ${n}` }), { address: page.address, cursor: page.cursor }).connect())
  t.same(app.log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg.replace(/, and .*/, '')), ['one key of live view "ticket" has more than 1000 different viewers'])
  for (const page of pages) await page.close()
})
