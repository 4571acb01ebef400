// Jobs, and streams that are closed by key.
import Fastify from 'fastify'
import type { Engine, Job, JobContext, JobOptions, JobState } from 'fastify-chirp'
import chirp, { Fragment, merge } from 'fastify-chirp'

const app = Fastify()
await app.register(chirp)

const options: JobOptions = { keep: 1000, history: 10 }
export const job: Job = app.job('import:1', async function * ({ signal, log }) {
  log.info(String(signal.aborted))
  yield new Fragment('a.html', 'b')
}, options)
export const context: Array<keyof JobContext> = ['signal', 'log']
app.job('list', [1, 2])
app.job('later', async () => [1, 2])
export const found: Job | undefined = app.job('import:1')
export const state: JobState = job.state
export const stopped: Promise<JobState> = job.stop()
export const done: Promise<JobState> = job.done
export const cursor: Promise<string> = job.cursor()
export const id: string = job.id
// @ts-expect-error a misspelt option
app.job('a', [], { kep: 1 })
// @ts-expect-error a source is no number
app.job('a', 7)
// @ts-expect-error a job may not be there
app.job('a').stop()
// @ts-expect-error the state is read only
job.state = 'ended'

app.get('/a', { live: true }, (request, reply) => reply.eventStream(job, { closeEvent: 'done', key: 'ann' }))
app.get('/b', { live: true }, (request, reply) => reply.eventStream(merge(job, app.channel('a')), { key: ['ann', 'team'] as const }))
app.get('/c', { live: true }, () => job)
// @ts-expect-error keys are strings
app.get('/d', (request, reply) => reply.eventStream([], { key: 7 }))
// @ts-expect-error the plugin has no key
await app.register(chirp, { key: 'ann' })

export const ready: Pick<Engine, 'ready'> = { ready: false }
