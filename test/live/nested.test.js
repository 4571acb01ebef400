// Live blocks that stand in others.
import t from 'tap'
import { until } from '../helpers/app.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const page = (comments, more = '') => `<main {{ sse_connect() }}><section {{ sse_swap("all") }}>{% block all %}<h1>{{ ticket.title }}</h1>${comments}{% endblock %}</section>${more}</main>`
const COMMENTS = '{% block comments %}{% for comment in comments %}<li>{{ comment.text }}</li>{% endfor %}{% endblock %}'
const PLACED = `<ul {{ sse_swap("comments") }}>${COMMENTS}</ul>`

async function build (t, template, view) {
  const { app, view: ticket, tickets } = await buildTickets(t, { template, view })
  const loaded = await (await Page.load(app, '/tickets/7')).connect()
  t.teardown(() => loaded.close())
  /** The targets of what was sent, up to a change of the title. */
  const sent = async () => {
    tickets.get('7').comments.push('b')
    await ticket.changed('7', ['comments'])
    const targets = [...await loaded.take(1)]
    tickets.get('7').title = 'End'
    await ticket.changed('7', ['ticket.title'])
    while (!loaded.parts.get('all')?.includes('End')) targets.push(...await loaded.take(1))
    return targets
  }
  return { loaded, tickets, ticket, sent }
}

t.test('the outer one brings the inner one along', async t => {
  const { loaded, sent } = await build(t, page(PLACED))
  t.same(await sent(), ['all', 'all'])
  t.match(loaded.parts.get('all'), /<li>a<\/li><li>b<\/li>/)
})

t.test('the inner one is sent where it has another place', async t => {
  for (const [template, view] of [
    // Somewhere else alone, and there too.
    [page('', PLACED).replace('</h1>', `</h1>{% if not ticket %}${COMMENTS}{% endif %}`).replace(`>${COMMENTS}</ul>`, '></ul>')],
    [page(PLACED, '<ol {{ sse_swap("comments") }}></ol>')],
    // The outer one may leave the old one where it is.
    [page(PLACED), { blocks: [{ block: 'all', target: 'all', swap: 'beforeend' }, { block: 'comments', target: 'comments' }] }]
  ]) {
    const { sent } = await build(t, template, view)
    t.ok((await sent()).includes('comments'), template)
  }
})

t.test('the inner one is sent where the outer one is as before', async t => {
  const { app, env, view, tickets } = await buildTickets(t, { template: page(PLACED).replace('{{ ticket.title }}', '{{ ticket.title | fragile }}') })
  let fails = false
  env.addFilter('fragile', value => {
    if (fails) throw new Error('no filter')
    return value
  })
  const loaded = await (await Page.load(app, '/tickets/7')).connect()
  t.teardown(() => loaded.close())
  const give = async comments => {
    tickets.get('7').comments = comments
    await view.changed('7', ['comments'])
    return loaded.take(1)
  }
  t.same(await give(['a', 'b']), ['all'])
  fails = true
  t.same(await give(['a']), ['comments'], 'the outer one has failed')
  fails = false
  t.same(await give(['a', 'b']), ['comments'])
  t.equal(loaded.parts.get('comments'), '<li>a</li><li>b</li>')
  t.same(await give(['c']), ['all'])
  await until(() => app.eventStreams.errors === 1)
})
