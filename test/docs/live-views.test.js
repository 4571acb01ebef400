// What docs/guide/live-views.md shows first is run.
import t from 'tap'
import { QuietClient } from '../helpers/client.js'
import { addressIn } from '../helpers/live.js'
import { importBlock, runBlock } from '../helpers/readme.js'

t.test('a comment comes to the page, and what did not change does not', async t => {
  const comments = [{ text: 'first' }]
  globalThis.db = {
    ticket: async id => ({ title: `Ticket ${id}` }),
    comments: async () => comments,
    addComment: async (id, text) => { comments.push({ text }) }
  }
  const { app, main: { ticket } } = await runBlock(t, 'ticket', 'ticket')
  const page = await app.inject({ url: '/tickets/7', headers: { accept: 'text/html' } })
  t.match(page.body, />Ticket 7<\/h1>[^]*><li>first<\/li><\/ul>/)
  const stream = await new QuietClient(app).open(addressIn(page.body))
  const { statusCode } = await app.inject({ method: 'POST', url: '/tickets/7/comments', payload: { text: 'second' } })
  t.equal(statusCode, 204)
  t.match(await stream.next(), { event: 'comments', data: '<li>first</li><li>second</li>' })
  t.equal(app.eventStreams.renders, 1)
  t.same(ticket.reads('header'), ['ticket.title'])
  globalThis.ticket = ticket
  for (const block of ['recheck', 'explain']) await importBlock(block, '')
  t.match(ticket.explain(['comments']), [{ block: 'comments', reasons: [{ expression: 'comments' }] }])
  stream.close()
})
