// The recipes for tables, forms and other plugins are run.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { QuietClient } from '../helpers/client.js'
import { addressIn } from '../helpers/live.js'
import { home, importBlock, runBlock } from '../helpers/readme.js'

const HTMX = { 'hx-request': 'true', 'hx-request-type': 'partial' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

async function follow (app, page, headers = {}) {
  const { body } = await app.inject({ url: page, headers: { accept: 'text/html' } })
  return new QuietClient(app).open(addressIn(body), { headers })
}

t.test('recipe: a table with live rows', async t => {
  const { app, main: { add, change } } = await runBlock(t, 'table', 'add, change')
  t.match((await app.inject('/orders')).body, /<tr id="order-1"[^>]*>\s*<td>1<\/td><td>new<\/td>\s*<\/tr>/)
  const stream = await follow(app, '/orders')
  await add({ id: 2, state: '<new>' })
  t.match(await stream.next(), { event: 'orders', data: /^<tr id="order-2".*>\s*<td>2<\/td><td>&lt;new&gt;<\/td>\s*<\/tr>$/ })
  await change({ id: 2, state: 'paid' })
  t.match(await stream.next(), { event: 'order-2', data: '<td>2</td><td>paid</td>' })
  stream.close()
})

t.test('recipe: a form with validation errors', async t => {
  const { app } = await runBlock(t, 'form')
  const post = (payload, headers) => app.inject({ method: 'POST', url: '/sign-up', payload, headers: { ...FORM, ...headers } })
  t.notMatch((await app.inject('/sign-up')).body, 'aria-invalid')
  const plain = await post('email=%3Cann', {})
  t.equal(plain.statusCode, 422)
  t.match(plain.body, /value="&lt;ann"\s+aria-invalid="true"[^]*<p id="email-problem">An address has an @\.<\/p>/)
  const htmx = await post('email=ann', HTMX)
  t.equal(htmx.statusCode, 200)
  t.match(htmx.body, /^\s*<form[^]*An address has an @\.[^]*<\/form>\s*$/)
  const done = await post('email=a@b', {})
  t.match([done.statusCode, done.headers.location], [303, '/welcome'])
  t.equal((await post('email=a@b', HTMX)).headers['hx-redirect'], '/welcome')
})

t.test('recipe: uploads with progress', async t => {
  const { app } = await runBlock(t, 'upload')
  const { headers: { location } } = await app.inject('/uploads')
  const [stream, other] = [await follow(app, location), await follow(app, '/uploads/other')]
  const send = parts => app.inject({
    method: 'POST', url: location, headers: { 'content-type': 'multipart/form-data; boundary=x' }, payload: `${parts}--x--\r\n`
  })
  const upload = await send(`--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'a'.repeat(500_000)}\r\n`)
  t.equal(upload.statusCode, 204)
  const told = []
  do told.push(Number(/value="(\d+)"/.exec((await stream.next()).data)[1])); while (told.at(-1) < 100)
  t.same(told, told.toSorted((a, b) => a - b), 'never back')
  t.match(await send('--x\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\n'), { statusCode: 400, body: 'Choose a file' })
  other.close()
  t.equal(await other.next(), undefined, 'another upload has a page of its own')
  stream.close()
})

t.test('recipe: flash messages', async t => {
  const { app } = await runBlock(t, 'flash')
  const saved = await app.inject({ method: 'POST', url: '/settings' })
  t.equal(saved.statusCode, 303)
  const [{ name, value }] = saved.cookies
  const cookies = { [name]: value }
  const page = await app.inject({ url: '/settings', cookies })
  t.match(page.body, '<p role="status">Your settings are saved.</p>')
  t.match(page.cookies, [{ name: 'flash', value: '' }])
  const stream = await new QuietClient(app).sse(addressIn(page.body), { headers: { cookie: `${name}=${value}` }, maxEvents: 0 })
  t.equal(stream.headers['set-cookie'], undefined, 'the stream leaves it')
  t.notMatch((await app.inject('/settings')).body, 'role="status"')
})

t.test('recipe: CSRF tokens in live fragments', async t => {
  const { app } = await runBlock(t, 'csrf')
  const { body } = await app.inject('/todos?user=ann')
  const [, token] = /hx-headers='\{"X-CSRF-Token": "(.+?)"\}'/.exec(body)
  const stream = await follow(app, '/todos?user=ann')
  const post = headers => app.inject({ method: 'POST', url: '/todos/7/done?user=ann', headers })
  t.equal((await post({})).statusCode, 403)
  t.equal((await post({ 'x-csrf-token': token })).statusCode, 204)
  const { data } = await stream.next()
  t.match(data, /^<li id="todo-7">\s*Done\s*<\/li>$/)
  stream.close()
})

t.test('recipe: a strict content security policy', async t => {
  const { app } = await runBlock(t, 'policy')
  const page = await app.inject('/')
  const policy = "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'"
  t.equal(page.headers['content-security-policy'], policy)
  const { headers } = await new QuietClient(app).sse(addressIn(page.body), { maxEvents: 0 })
  t.equal(headers['content-security-policy'], policy)
})

t.test('recipe: one environment with @fastify/view', async t => {
  const { app } = await importBlock('shared-view', 'app')
  t.teardown(() => app.close())
  t.match((await app.inject('/price')).body, />Lamps: 12\.50 €<\/p>/)
  const { events } = await new QuietClient(app).sse('/live')
  t.match(events.at(-1), { event: 'price', data: 'Lamps: 13.00 €' })
})

t.test('recipe: routes from @fastify/autoload', async t => {
  const { app } = await importBlock('autoload', 'app')
  t.teardown(() => app.close())
  const stream = await follow(app, '/visits')
  t.equal((await app.inject({ method: 'POST', url: '/visits' })).statusCode, 204)
  t.match(await stream.next(), { event: 'count', data: '1' })
  stream.close()
  t.same((await app.checkContracts({ severities: { orphan: 'off' } })).issues, [])
})

t.test('recipe: TypeScript', async t => {
  const folder = join(home, 'typescript')
  const { options, fileNames } = ts.parseJsonConfigFileContent(JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')), ts.sys, folder)
  // The package is not installed here, but looked up by its own name.
  const problems = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, { ...options, skipLibCheck: true, outDir: undefined, noEmit: true }))
  t.same(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')), [])

  const { outputText } = ts.transpileModule(readFileSync(join(folder, 'server.ts'), 'utf8'), { compilerOptions: { ...options, module: ts.ModuleKind.ESNext } })
  writeFileSync(join(folder, 'server.mjs'), outputText.replace("'views'", JSON.stringify(join(folder, 'views'))))
  const { app } = await import(pathToFileURL(join(folder, 'server.mjs')))
  t.teardown(() => app.close())
  t.equal((await app.inject({ method: 'POST', url: '/news', payload: { text: 'one' } })).statusCode, 204)
  const { body } = await app.inject('/?shop=a')
  t.match(body, /lastEventId=1"[^]*<li>one<\/li>/)
})
