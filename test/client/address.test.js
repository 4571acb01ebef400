// Where pages load the client script from: behind proxies, below prefixes with
// parameters, for several registrations, and out of a bundle.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { build } from 'esbuild'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp from 'fastify-chirp'
import { SCRIPT } from '../../dist/script-text.js'
import { buildApp } from '../helpers/app.js'

const page = '<head>{{ chirp_client() }}</head><body {{ sse_connect("/live") }}></body>'
const srcOf = html => /src="([^"]+)"/.exec(html)?.[1]

for (const [clientUrl, src] of [
  ['/app/_chirp/client.js', /^\/app\/_chirp\/client\.js\?v=[\w-]{12}$/],
  ['https://cdn.example/client.js?of=me&b', /^https:\/\/cdn\.example\/client\.js\?of=me&amp;b&amp;v=[\w-]{12}$/],
  ['//cdn.example/client.js', /^\/\/cdn\.example\/client\.js\?v=[\w-]{12}$/]
]) {
  t.test(`clientUrl: ${clientUrl}`, async t => {
    for (const client of ['/_chirp', false]) {
      const app = await buildApp(t, { templates: t.testdir({ 'page.html': page }), clientUrl, client })
      app.get('/', (request, reply) => reply.page('page.html'))
      t.match(srcOf((await app.inject('/')).body), src)
      t.equal((await app.inject('/_chirp/client.js')).statusCode, client === false ? 404 : 200, 'it is served where it was')
    }
  })
}

t.test('a clientUrl that is none is refused', async t => {
  for (const clientUrl of ['', '/', 'client.js', './client.js', 'javascript:alert(1)', '/a b', '/a"b', '/a#b', '/a\n', 1, false, null]) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.register(chirp, { clientUrl })
    await t.rejects(app.ready(), { code: 'FST_CHIRP_OPTION', message: /option "clientUrl" must be an address from the root, such as "\/app\/_chirp\/client.js", or/ })
  }
})

t.test('behind a proxy that removes a prefix', async t => {
  const app = await buildApp(t, { templates: t.testdir({ 'page.html': page }), clientUrl: '/shop/_chirp/client.js' })
  app.get('/', (request, reply) => reply.page('page.html'))
  const proxy = url => app.inject(url.replace(/^\/shop/, ''))
  const script = await proxy(srcOf((await proxy('/shop/')).body))
  t.equal(script.statusCode, 200)
  t.match(script.headers['cache-control'], /immutable/)
})

t.test('a prefix with a parameter needs clientUrl, where there are pages', async t => {
  const templates = t.testdir({ 'page.html': page })
  const start = async options => {
    const app = Fastify()
    t.teardown(() => app.close())
    app.register(async scope => {
      await scope.register(chirp, options)
      if (options.templates) scope.get('/', (request, reply) => reply.page('page.html'))
    }, { prefix: '/:tenant' })
    await app.ready()
    return app
  }
  await t.rejects(start({ templates }), {
    code: 'FST_CHIRP_OPTION',
    message: 'fastify-chirp: the prefix "/:tenant" has a parameter, so chirp_client() cannot print the address of the client script. ' +
      'Set the option "clientUrl" to an address without one, such as "/_chirp/client.js" of a registration at the root, or the option "client" to false'
  })
  const app = await start({ templates, clientUrl: '/any/_chirp/client.js' })
  const src = srcOf((await app.inject('/acme')).body)
  t.match(src, /^\/any\/_chirp\/client\.js\?v=/)
  t.equal((await app.inject(src)).statusCode, 200)
  t.equal((await (await start({})).inject('/acme/_chirp/client.js')).statusCode, 200)
  await start({ templates: t.testdir({ 'page.html': 'x' }), client: false })
})

t.test('siblings that share an environment', async t => {
  const loader = new nunjucks.FileSystemLoader(t.testdir({
    'page.html': '{% from "head.html" import head %}{{ head() }}{{ chirp_client() }}<body {{ sse_connect("/live") }}></body>',
    'head.html': '{% macro head() %}{{ chirp_client() }}{% endmacro %}'
  }))
  const start = async (templates, options) => {
    const app = Fastify()
    t.teardown(() => app.close())
    for (const [prefix, own] of Object.entries(options)) {
      app.register(async scope => {
        scope.addHook('onRequest', async (request, reply) => {
          if (prefix === '/admin' && request.headers.cookie === undefined) return reply.code(401).send('Who are you?')
        })
        await scope.register(chirp, { templates, ...own })
        scope.get('/', (request, reply) => reply.page('page.html'))
      }, { prefix })
    }
    await app.ready()
    return app
  }

  const shared = new nunjucks.Environment(loader, { autoescape: true })
  const app = await start(shared, { '/admin': { dialect: 'htmx2' }, '/shop': { dialect: 'htmx4' } })
  const shop = (await app.inject('/shop')).body
  t.same([...shop.matchAll(/src="(.+?)\?/g)].map(([, src]) => src), ['/shop/_chirp/client.js', '/shop/_chirp/client.js'], 'also in a macro that is imported')
  t.equal((await app.inject(srcOf(shop))).statusCode, 200)
  t.match(shop, '<body hx-sse:connect="/live">')
  const admin = (await app.inject({ url: '/admin', headers: { cookie: 'a=b' } })).body
  t.match(admin, 'src="/admin/_chirp/client.js?')
  t.match(admin, '<body hx-ext="sse" sse-connect="/live">')

  // As @fastify/view renders, which knows no registrations.
  t.throws(() => shared.render('page.html'), /chirp_client\(\) cannot know whose page this is: .* the script is at "\/admin\/_chirp\/client\.js" and "\/shop\/_chirp\/client\.js"\. Render the page with reply\.page\(\), or give all registrations the same option "clientUrl"/)
  t.equal(shared.renderString('{{ sse_close("a") }}'), 'sse-close="a" hx-sse:close="a"', 'right for either')
  shared.addGlobal('chirp_client', () => 'mine')
  t.match((await app.inject('/shop')).body, /^minemine<body/, 'what the app puts in its place counts')

  const one = new nunjucks.Environment(loader, { autoescape: true })
  const clientUrl = '/shop/_chirp/client.js'
  await start(one, { '/admin': { clientUrl }, '/shop': { clientUrl } })
  t.match(one.render('page.html'), 'src="/shop/_chirp/client.js?v=')
})

for (const format of ['esm', 'cjs']) {
  t.test(`a server that is bundled as ${format}`, async t => {
    // In the repository, so that `fastify-chirp` is this package.
    const folder = t.testdir({
      views: { 'page.html': page },
      'app.js': `
        import Fastify from 'fastify'
        import chirp from 'fastify-chirp'
        const app = Fastify()
        app.register(chirp, { templates: process.argv[2], debug: true })
        app.register(async scope => {
          scope.get('/', (request, reply) => reply.page('page.html'))
          scope.get('/live', (request, reply) => reply.eventStream(['a']))
        })
        app.listen({ port: 0, host: '127.0.0.1' }).then(async url => {
          const script = await fetch(url + '/_chirp/client.js')
          const page = await (await fetch(url + '/')).text()
          const live = await (await fetch(url + '/live')).text()
          process.stdout.write(JSON.stringify({ status: script.status, script: await script.text(), page, live }))
          await app.close()
        })`
    })
    const outfile = join(folder, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const { warnings } = await build({
      entryPoints: [join(folder, 'app.js')],
      outfile,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'silent',
      // For Fastify and others, which are CommonJS.
      ...(format === 'esm' && { banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" } })
    })
    t.same(warnings.filter(({ location }) => location?.file.includes('dist/')).map(({ text }) => text), [])
    // Away from the package, whose files it must not need.
    const output = execFileSync(process.execPath, [outfile, join(folder, 'views')], { cwd: '/', encoding: 'utf8' })
    const { status, script, page: html, live } = JSON.parse(output)
    t.equal(status, 200)
    t.equal(script, SCRIPT)
    t.match(html, /src="\/_chirp\/client\.js\?v=/)
    t.match(live, 'data: a\n')
  })
}

t.test('the text in the build is the script', async t => {
  t.equal(SCRIPT, readFileSync(fileURLToPath(new URL('../../dist/client/client.js', import.meta.url)), 'utf8'))
})
