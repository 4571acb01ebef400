// Live views.
import Fastify from 'fastify'
import type { Explanation, LiveBlockOptions, LiveContext, LivePageOptions, LiveSource, LiveViewOptions, Reason } from 'fastify-chirp'
import chirp, { type LiveView, merge } from 'fastify-chirp'

const app = Fastify()
await app.register(chirp)

const view: LiveView = app.liveView('ticket', {
  template: 'ticket.html',
  viewer: request => ({ role: String(request.headers['x-role']) }),
  context: async (id, { viewer, signal }) => {
    const role: string = viewer.role
    return signal.aborted ? null : { id: id.toUpperCase(), role }
  },
  authorize: async (request, id) => request.ip === id,
  blocks: ['header', { block: 'comments', target: 'list', swap: 'innerMorph' }],
  derive: { 'ticket.total': ['ticket.lines'] },
  reads: { header: ['clock'] },
  delay: 20
})
app.liveView('plain', { template: 'a.html', context: id => ({ id }) })
export const again: LiveView = app.liveView('ticket')
export const options: LiveViewOptions<{ role: string }> = { template: 'a.html', context: (_id, { viewer }) => ({ role: viewer.role }) }
export const block: LiveBlockOptions = { block: 'a' }
export const given: Array<keyof LiveContext> = ['viewer', 'signal']
export const page: LivePageOptions = { block: 'a', stream: { key: 'ann' } }
export const changed: Promise<void> = view.changed(7, ['comments'] as const)
export const closed: Promise<number> = view.recheck('7')
export const paths: string[] | Promise<string[]> = view.reads('header')
export const why: Explanation[] = await view.explain(['ticket'])
export const reason: Reason | undefined = why[0]?.reasons[0]

app.get('/:id', { live: true }, (request, reply) => reply.live(view, (request.params as { id: string }).id, page))
app.get('/merged', { live: true }, (request, reply) => {
  const source: LiveSource = view.source('7', request)
  return reply.eventStream(merge(source, app.channel('news')))
})
export const cursor: Promise<string> = view.source('7').cursor()
export const renders: number = app.eventStreams.renders

// @ts-expect-error a template is needed
app.liveView('a', { context: () => ({}) })
// @ts-expect-error a misspelt option
app.liveView('a', { template: 'a.html', context: () => ({}), dealy: 1 })
// @ts-expect-error paths are a list
view.changed('7', 'comments')
// @ts-expect-error a context is no text
app.liveView('a', { template: 'a.html', context: () => 'text' })
