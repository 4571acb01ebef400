// The address of the client script below a prefix that ends with a slash.
import t from 'tap'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'

for (const [prefix, start] of [['/', ''], ['/shop/', '/shop']]) {
  t.test(prefix, async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    const templates = t.testdir({ 'page.html': '<head>{{ chirp_client() }}</head>' })
    app.register(async scope => {
      await scope.register(chirp, { templates, contracts: { sources: [] } })
      scope.get('/', (request, reply) => reply.page('page.html'))
    }, { prefix })
    const { body } = await app.inject(prefix)
    const [, src] = /src="([^"]+)"/.exec(body)
    t.match(src, new RegExp(`^${start}/_chirp/client\\.js\\?v=`))
    t.equal((await app.inject(src)).statusCode, 200)
  })
}
