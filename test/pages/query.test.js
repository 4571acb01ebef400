// Query schemas that know nothing of the parameters of streams.
import t from 'tap'
import { Type } from '@fastify/type-provider-typebox'
import { buildApp } from '../helpers/app.js'
import { addressIn, load, views } from '../helpers/live.js'

const closed = { type: 'object', properties: { tab: { type: 'string' } }, additionalProperties: false }

async function build (t, ajv = { customOptions: { removeAdditional: false } }) {
  const app = await buildApp(t, { templates: views({ 'page.html': '<p {{ sse_connect() }}></p>' }) }, { ajv })
  return { app, news: app.channel('news') }
}

t.test('a closed schema refuses no stream, and what the client sent is read', async t => {
  for (const mark of ['live', 'referenced']) {
    for (const customOptions of [{ removeAdditional: false }, {}]) {
      for (const key of ['querystring', 'query']) {
        const { app, news } = await build(t, { customOptions })
        app.get(`/${key}`, { [mark]: true, schema: { [key]: closed } }, (request, reply) => reply.page('page.html', {}, { live: news }))
        const page = await load(app, `/${key}?tab=a&htmx=4&chirp-gap=1`)
        t.match(addressIn(page.html), new RegExp(`^/${key}\\?tab=a&htmx=4&chirp-gap=1&lastEventId=`))
        await news.publish('a')
        t.same(await page.follow(1), ['a'])
        if (customOptions.removeAdditional === false) t.equal((await app.inject(`/${key}?other=1`)).statusCode, 400)
      }
    }
  }
})

t.test('a schema that names them, or lets all pass, gets them; others do not', async t => {
  const { app } = await build(t)
  app.addSchema({ $id: 'shared', type: 'object', properties: { htmx: { type: 'string' } } })
  app.addSchema({ $id: 'plain', type: 'object', properties: { tab: { type: 'string' } } })
  const string = { type: 'string' }
  const all = ['lastEventId', 'htmx', 'chirp-gap']
  const schemas = {
    closed: [closed, []],
    typebox: [Type.Object({ tab: Type.String(), htmx: Type.String() }, { additionalProperties: false }), ['htmx']],
    open: [{ type: 'object', properties: { tab: string } }, all],
    anything: [{ type: 'object', additionalProperties: true }, all],
    strings: [{ type: 'object', properties: { tab: string, lastEventId: string }, additionalProperties: string }, ['lastEventId']],
    names: [{ type: 'object', propertyNames: { enum: ['tab'] } }, []],
    all: [{ allOf: [{ type: 'object', properties: { lastEventId: string } }, { type: 'object', properties: { htmx: string } }] }, ['lastEventId', 'htmx']],
    ref: [{ $ref: 'shared#' }, ['htmx']],
    plain: [{ $ref: 'plain#' }, []]
  }
  const seen = request => all.filter(name => name in request.query)
  for (const [name, [querystring]] of Object.entries(schemas)) {
    let hooked = 0
    app.get(`/${name}`, { live: true, schema: { querystring }, preValidation: async () => { hooked++ } }, (request, reply) => reply.send([...seen(request), hooked]))
  }
  app.get('/unmarked', { schema: { querystring: closed } }, (request, reply) => reply.send('ok'))
  app.get('/none', { live: true, schema: { params: closed } }, (request, reply) => reply.send(seen(request)))
  for (const [name, [, wanted]] of Object.entries(schemas)) {
    const { body } = await app.inject(`/${name}?tab=a&lastEventId=1&htmx=2&chirp-gap=1`)
    t.same(JSON.parse(body), [...wanted, 1], name)
  }
  t.equal((await app.inject('/unmarked?lastEventId=1')).statusCode, 400, 'a route that is not marked is as it was')
  t.same((await app.inject('/none?lastEventId=1')).json(), ['lastEventId'])
})

t.test('a validator and a parser of the app', async t => {
  const { app } = await build(t)
  const asked = []
  const validatorCompiler = () => data => {
    asked.push(data)
    return { value: data }
  }
  const shape = { def: { shape: { tab: {}, htmx: {} } } }
  shape.self = shape
  app.get('/', { live: true, schema: { querystring: shape }, validatorCompiler, preValidation: [async request => { if (request.query.none) request.query = undefined }] },
    (request, reply) => reply.send('ok'))
  await app.inject('/?lastEventId=1&htmx=2')
  await app.inject('/?none=1')
  t.same(asked.map(data => data && Object.keys(data)), [['htmx'], undefined])
})
