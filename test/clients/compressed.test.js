// Compressed streams, as other people's programs read them.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import t from 'tap'
import { buildApp, listen, until } from '../helpers/app.js'
import { dial, GET } from '../helpers/raw.js'

const run = promisify(execFile)
const has = command => run(command, ['--version']).then(() => true, () => false)
const long = n => `${n} ${'the order of the customer was sent '.repeat(4)}${n}`

async function build (t) {
  const app = await buildApp(t, { compress: true, closeEvent: 'bye' })
  const news = app.channel('news', { history: 100 })
  app.get('/', { live: true }, (request, reply) => reply.eventStream(news))
  app.get('/unmarked', (request, reply) => reply.eventStream(news))
  const port = await listen(app)
  return { app, news, port, url: `http://127.0.0.1:${port}/` }
}

/** Publishes, and sees that each event comes before the next one; `text` gives what has come. */
async function oneByOne (news, text) {
  await until(() => news.size === 1, 'it is connected')
  for (const value of ['one', long(2), long(3), '<li>é€😀</li>']) {
    await news.publish(value)
    await until(() => text().endsWith(`data: ${value}\n\n`), `${value} comes alone`)
  }
  news.close()
}

t.test('fetch', async t => {
  const { news, url } = await build(t)
  const response = await fetch(url)
  t.equal(response.headers.get('content-encoding'), 'gzip')
  let text = ''
  const reading = (async () => {
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) text += piece
  })()
  await oneByOne(news, () => text)
  await reading
  t.match(text, /event: bye\ndata: \n\n$/)
})

t.test('curl --compressed', { skip: !await has('curl') && 'there is no curl here' }, async t => {
  for (const path of ['', 'unmarked']) {
    const { news, url } = await build(t)
    const curl = spawn('curl', ['-sSN', '--compressed', `${url}${path}`])
    let text = ''
    curl.stdout.setEncoding('utf8').on('data', piece => { text += piece })
    curl.stderr.pipe(process.stderr)
    const exit = once(curl, 'exit')
    await oneByOne(news, () => text)
    t.same(await exit, [0, null])
    t.match(text, /event: bye\ndata: \n\n$/)
  }
})

// It is strict: all of it must be there.
const PYTHON = `
import gzip, sys, urllib.request
response = urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={'Accept-Encoding': 'gzip'}))
for line in gzip.GzipFile(fileobj=response):
  sys.stdout.write(line.decode())
`

t.test('Python', { skip: !await has('python3') && 'there is no Python here' }, async t => {
  const { news, url } = await build(t)
  const python = run('python3', ['-c', PYTHON, url])
  await until(() => news.size === 1)
  for (let n = 0; n < 5; n++) await news.publish(long(n))
  news.close()
  const { stdout } = await python
  for (let n = 0; n < 5; n++) t.match(stdout, `data: ${long(n)}\n\n`)
  t.match(stdout, /event: bye\ndata: \n\n$/)
})

t.test('a client of HTTP/1.0 gets a body that ends with its connection', async t => {
  const { news, port } = await build(t)
  const client = await dial(port)
  client.send(GET('/', 'Accept-Encoding: gzip\r\n').replace('HTTP/1.1', 'HTTP/1.0'))
  await until(() => news.size === 1)
  await news.publish(long(1))
  news.close()
  await until(() => client.ended)
  const body = Buffer.from(client.text.slice(client.text.indexOf('\r\n\r\n') + 4), 'latin1')
  t.match(zlib.gunzipSync(body).toString(), `data: ${long(1)}\n\nevent: bye\ndata: \n\n`)
})
