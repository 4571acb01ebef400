// docs/examples/cluster: three processes on one Redis behind nginx, one of them killed while pages are open in Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Redis } from 'ioredis'
import { quiet } from '../helpers/app.js'
import { accepts, startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { startRedis } from '../helpers/redis.js'
import { launch, until } from './browser.js'
import { LOST } from './console.js'
import { opener } from './pages.js'

const example = new URL('../../docs/examples/cluster/', import.meta.url)
const config = readFileSync(new URL('nginx.conf', example), 'utf8')
const LONG = 60000

t.setTimeout(120000)

t.test('docs/operate/scaling.md shows the file that is run here', async t => {
  const docs = readFileSync(new URL('../../operate/scaling.md', example), 'utf8')
  t.ok(docs.includes(`\`\`\`nginx\n${config}\`\`\``))
})

t.test('a process is killed while pages are open: nothing is lost, nothing comes twice, and pages go on without a reload', async t => {
  const server = await startRedis(t)
  const ports = [await freePort(), await freePort(), await freePort()]
  const child = spawn(process.execPath, [fileURLToPath(new URL('server.js', example))], {
    env: { ...process.env, PORTS: ports.join(), REDIS_URL: server.url }, stdio: ['ignore', 'ignore', 'pipe']
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', text => { complaints += text })
  t.teardown(async () => {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  })
  for (const port of ports) while (!await accepts(port)) await quiet(50)
  const { url } = await startEdge(t, 'nginx', { 3001: ports[0], 3002: ports[1], 3003: ports[2] }, config)
  /** What each process says of itself, without those that are not there. */
  const health = async () => (await Promise.all(ports.map(port => fetch(`http://127.0.0.1:${port}/health`).then(answer => answer.json(), () => undefined)))).filter(Boolean)
  const send = async (path, body) => {
    const { status } = await fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(body), redirect: 'manual' }).catch(() => ({ status: 0 }))
    return status === 303
  }

  const browser = await launch()
  t.teardown(() => browser.close())
  const open = opener(t, browser)
  const context = await browser.newContext()
  t.teardown(() => context.close())
  await context.addInitScript(() => {
    window.heard = []
    window.gaps = 0
    document.addEventListener('htmx:sseMessage', ({ detail }) => { if (detail.type === 'news') window.heard.push(/>(.+)</.exec(detail.data)[1]) })
    document.addEventListener('chirp:gap', () => { window.gaps++ })
  })
  const pages = []
  for (let n = 0; n < 3; n++) pages.push(await open(url, { context, expected: new RegExp(`${LOST.source}|50[234]`) }))
  const streams = async () => (await health()).reduce((sum, { streams }) => sum + streams, 0)
  await until(async () => await streams() === 3, 'all pages have their streams', LONG)
  const before = await health()
  t.ok(before.filter(({ streams }) => streams > 0).length > 1, 'nginx has spread the streams')

  const published = []
  const publish = async () => {
    const key = `${published.length}`
    while (!await send('/notes', { key, text: `note ${key}` })) await quiet(20)
    published.push(`note ${key}`)
  }
  const showsAll = async (page, what) => until(async () => (await page.locator('ol > li').count()) === published.length, what, LONG)
  while (published.length < 10) await publish()
  for (const page of pages) await showsAll(page, 'notes arrive in all processes')

  const victim = before.find(({ streams }) => streams > 0)
  const publishing = (async () => { while (published.length < 60) await publish() })()
  await until(() => published.length > 20, 'in the middle of it', LONG)
  process.kill(victim.pid, 'SIGKILL')
  await publishing
  for (const page of pages) await showsAll(page, 'nothing is lost')
  await until(async () => await streams() === 3, 'all pages have streams again', LONG)
  while (!await send('/votes', {})) await quiet(20)
  const redis = new Redis(server.url)
  t.teardown(() => redis.disconnect())
  const votes = await redis.get('cluster:votes')
  for (const page of pages) await until(async () => await page.locator('output').textContent() === votes, 'the live view follows', LONG)
  for (const page of pages) {
    t.same(await page.locator('ol > li').allTextContents(), published)
    t.same(await page.evaluate('window.heard'), published, 'each came once, and in order')
    t.equal(await page.evaluate('window.gaps'), 0)
  }

  await until(async () => (await health()).length === 3, 'the process was started again', LONG)
  t.match(complaints, /has ended \(SIGKILL\), and is started again/)
  t.notMatch(complaints, /"level":50/)
  const first = pages[0]
  await first.locator('input[name=text]').fill('by hand')
  await first.getByRole('button', { name: 'Add' }).click()
  published.push('by hand')
  await showsAll(first, 'a form without a script')
  await first.getByRole('button', { name: 'Vote' }).click()
  for (const page of pages) await until(async () => Number(await page.locator('output').textContent()) === Number(votes) + 1, 'a vote in all pages', LONG)
})
