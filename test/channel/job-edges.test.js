// Jobs at their edges: stopped before they begin, and asked for with options.
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'

t.test('a value that waits for the engine when its job is stopped is dropped, and that is told', async t => {
  // One that knows of no other process: the source runs at once.
  const engine = Object.assign(new AsyncEngine({ random: () => 0.5 }), { hold: undefined, beat: undefined, evict: undefined })
  const app = await buildApp(t, { engine })
  app.log.level = 'debug'
  app.get('/', (request, reply) => reply.eventStream(app.job('import')))
  const job = app.job('import', function * () { yield 'late' })
  t.equal(await job.stop(), 'stopped')
  await until(() => app.log.lines.some(({ msg }) => msg === 'a value of job "import" was dropped: it came after the job was stopped'))
  t.equal((await app.inject('/')).body, ': open\n')
})

t.test('options of a job that is only looked up are refused', async t => {
  const app = await buildApp(t)
  t.equal(app.job('import', undefined, {}), undefined)
  t.throws(() => app.job('import', undefined, { keep: 0 }), { code: 'FST_CHIRP_OPTION', message: /no effect without a source\. Give one, app\.job\("import", source, options\)/ })
  t.throws(() => app.job('import', undefined, { history: 5 }), { code: 'FST_CHIRP_OPTION' })
  t.throws(() => app.job('import', undefined, { kep: 0 }), { code: 'FST_CHIRP_OPTION', message: /Did you mean "keep"/ })
})
