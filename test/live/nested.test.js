// Live blocks that stand in others.
import t from 'tap'
import { until } from '../helpers/app.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const COMMENTS = '{% block comments %}{% for comment in comments %}<li>{{ comment.text }}</li>{% endfor %}{% endblock %}'
const PAGE = `<main {{ sse_connect() }}><section {{ sse_swap("all") }}>{% block all %}<h1>{{ ticket.title | fragile }}</h1><ul {{ sse_swap("comments") }}>${COMMENTS}</ul>{% endblock %}</section></main>`

t.test('both are sent, because a page may show the inner one elsewhere, and each is right after a failure of the other', async t => {
  const { app, env, view, tickets } = await buildTickets(t, { template: PAGE })
  let fails = false
  env.addFilter('fragile', value => {
    if (fails) throw new Error('no filter')
    return value
  })
  const loaded = await (await Page.load(app, '/tickets/7')).connect()
  t.teardown(() => loaded.close())
  const give = async (comments, count) => {
    tickets.get('7').comments = comments
    await view.changed('7', ['comments'])
    const targets = await loaded.take(count)
    return [...targets].sort()
  }
  t.same(await give(['a', 'b'], 2), ['all', 'comments'])
  fails = true
  t.same(await give(['a'], 1), ['comments'], 'the outer one has failed')
  fails = false
  t.same(await give(['a', 'b'], 1), ['comments'], 'the outer one is as it was sent')
  t.equal(loaded.parts.get('comments'), '<li>a</li><li>b</li>')
  t.same(await give(['c'], 2), ['all', 'comments'])
  t.match(loaded.parts.get('all'), '<li>c</li>')
  await until(() => app.eventStreams.errors === 1)
})
