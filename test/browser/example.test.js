// The example app in a real browser: what people see is what is asserted.
import { once } from 'node:events'
import { connect } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { TOPICS } from '../../example-app/answers.js'
import { until } from './browser.js'
import { postNote, startApp, startProcess } from './station.js'
import { light, LOST, newVisitor, onBoth, openPage } from './visitors.js'

// The page's own stream, and not the page.
const STREAM = /\/\?(?:.*&)?lastEventId=/

const textsOf = (page, selector) => page.locator(selector).allTextContents()
const notesOf = async page => (await textsOf(page, '#notes .note > p')).reverse()
const linesOf = page => textsOf(page, '#log > li')
const peopleOf = async page => (await page.locator('#people > p').textContent()).trim()
const channelsOf = ({ station: { log, machine, notes, people } }) => [notes.channel, log.channel, machine.channel, people.channel]

/** Nobody looks any more, and nothing is left of those who did. */
async function isQuiet (app) {
  const { people, machine } = app.station
  await until(() => app.eventStreams.open === 0 && people.presence.size === 0 && !machine.isRunning, 'nobody is here')
  return channelsOf(app).every(({ size }) => size === 0)
}

onBoth('the page has its first readings, and the stream replaces them', async (t, path) => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url + path, { isOpen: false })
  t.equal(await page.locator('#machine .lane').count(), 3)
  await light(page, 'connected')
  t.equal(await page.locator('[data-status=live]').textContent(), 'live')

  const line = page.locator('#machine .cpu .line')
  const first = await line.getAttribute('d')
  await until(async () => await line.getAttribute('d') !== first, 'the trace grows')
  t.equal(await page.locator('#machine .lane').count(), 3, 'replaced, not added')
  t.equal(app.eventStreams.open, 1, 'one stream for all panels')
})

t.test('a closer look at the machine: the page is there at once, and its parts follow', async t => {
  const { url } = await startApp(t)
  const response = await fetch(`${url}/machine`)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const { value: shell } = await reader.read()
  t.match(shell, 'class="pending"')
  t.notMatch(shell, 'class="processor"')
  await reader.cancel()
  const page = await openPage(t, `${url}/machine`, { isOpen: false })
  await page.locator('.processor').first().waitFor()
  t.equal(await page.locator('.processor').count(), cpus().length)
  t.equal(await page.locator('.pending').count(), 0)
})

onBoth('the metrics of the app are a page of it, and count that page', async (t, path) => {
  const { url } = await startApp(t)
  const page = await openPage(t, `${url}/metrics${path.slice(1)}`)
  const count = page.locator('tbody', { hasText: 'sse.server.events' }).locator('tr', { hasText: '/metrics' }).locator('.count')
  await until(async () => Number(await count.textContent()) > 1, 'its own events')
  const before = Number(await count.textContent())
  await until(async () => Number(await count.textContent()) > before, 'and each that follows')
  t.equal(await page.locator('tbody', { hasText: 'sse.server.active_connections' }).count(), 1, 'replaced, not added')
})

onBoth('a note from the form is appended in every tab, once, as text', async (t, path) => {
  const { url } = await startApp(t)
  const [one, two] = [await openPage(t, url + path), await openPage(t, url + path)]
  const field = one.locator('#note-text')

  await field.fill('first')
  await field.press('Enter')
  await until(async () => await field.inputValue() === '', 'the form is fresh')
  t.equal(await one.evaluate(() => document.activeElement.id), 'note-text', 'one can go on typing')
  await field.fill('<img src=x onerror=alert(1)>')
  await field.press('Enter')

  for (const page of [one, two]) {
    await page.locator('#note-2').waitFor()
    t.same(await notesOf(page), ['first', '<img src=x onerror=alert(1)>'])
    t.equal(await page.locator('#notes img').count(), 0)
  }

  await one.locator('.notes button').click()
  t.equal(await one.locator('#note-problem').textContent(), 'Write something first.')
  await one.reload()
  t.same(await notesOf(one), ['first', '<img src=x onerror=alert(1)>'], 'the page has what the stream had')
})

t.test('HTML of many lines arrives as it was rendered', async t => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url)
  const text = 'one\n\n  three\n\tdata: five\n: six\n'
  await app.station.notes.add(text)
  await page.locator('#note-1').waitFor()
  t.equal(await page.locator('#note-1 > p').textContent(), text)

  const [note] = app.station.notes.latest()
  const html = await app.renderFragment(new Fragment('station.html', 'note', { note }))
  t.match(html, /<li[^]*\n[^]*\n[^]*<\/li>/)
  const rendered = await page.evaluate(html => {
    const template = document.createElement('template')
    template.innerHTML = html
    return template.content.firstChild.innerHTML
  }, html)
  t.equal(await page.locator('#note-1').innerHTML(), rendered)
})

onBoth('the server is killed and started again: nothing is lost, nothing comes twice', async (t, path) => {
  const notesFile = join(t.testdir(), 'notes.jsonl')
  const first = await startProcess(t, notesFile)
  const { url, port } = first
  await postNote(url, 'before the page')
  const page = await openPage(t, url + path, { expected: LOST })
  await postNote(url, 'while all is well')
  await page.locator('#note-2').waitFor()
  const { question, text } = TOPICS.find(topic => topic.id === 'tabs')
  await page.getByRole('button', { name: question }).click()
  await page.locator('#answer .words span').first().waitFor()

  // Nobody waits for the tab to get these.
  for (const text of ['close to the end', 'closer']) await postNote(url, text)
  t.same(await first.stop('SIGKILL'), [null, 'SIGKILL'])
  await light(page, 'lost')
  t.equal(await page.locator('[data-status=live]').textContent(), 'offline, dialing again')

  const second = await startProcess(t, notesFile, port)
  for (const text of ['after the restart', 'and later']) await postNote(url, text)
  await light(page, 'connected')
  await postNote(url, 'live again')
  await page.locator('#note-7').waitFor()
  t.same(await notesOf(page), [
    'before the page', 'while all is well', 'close to the end', 'closer', 'after the restart', 'and later', 'live again'
  ])

  await light(page, 'closed', 'answer')
  t.equal((await page.locator('#answer .words').textContent()).trim(), text, 'the answer went on where it was')
  t.equal(await peopleOf(page), '1 person is here')

  // The log is only kept in memory: all of the second process is there, and once.
  const linesOfSecond = async () => {
    const lines = await linesOf(page)
    return lines.slice(lines.findLastIndex(line => line.includes('Server listening')))
  }
  const posts = lines => lines.filter(line => line.includes('POST /notes'))
  await until(async () => posts(await linesOfSecond()).length === 3, 'the log has come as far')
  t.equal((await linesOf(page)).filter(line => line.includes('Server listening')).length, 1, 'of the first process nothing is left')

  await page.reload()
  await light(page, 'connected')
  t.equal((await notesOf(page)).length, 7)

  const closing = light(page, 'closing')
  t.same(await second.stop('SIGTERM'), [0, null], 'ends by itself, with a tab open')
  await closing
  t.equal(await page.locator('[data-status=live]').textContent(), 'server closes, back soon')
})

onBoth('a stream that breaks before it had anything to say misses nothing', async (t, path) => {
  const { app, url } = await startApp(t)
  await app.station.notes.add('on the page')
  const page = await openPage(t, url + path, { expected: LOST })
  app.server.closeAllConnections()
  await light(page, 'lost')
  await app.station.notes.add('missed')
  await page.locator('#note-2').waitFor()
  await app.station.notes.add('live')
  await page.locator('#note-3').waitFor()
  t.same(await notesOf(page), ['on the page', 'missed', 'live'])
  t.equal(app.eventStreams.total, 2, 'from the channel, on the first stream after')
})

onBoth('five tabs of three people: everyone sees the note and who is here', async (t, path) => {
  const { app, url } = await startApp(t, { interval: 1000 })
  const [one, two, three] = [await newVisitor(t), await newVisitor(t), await newVisitor(t)]
  const pages = []
  // The first tab of each brings its cookie. Then two more of the first visitor, at once.
  for (const context of [one, two, three]) pages.push(await openPage(t, url + path, { context }))
  pages.push(...await Promise.all([one, one].map(context => openPage(t, url + path, { context }))))
  t.equal(app.eventStreams.open, 5)
  t.same(channelsOf(app).map(({ size }) => size), [5, 5, 5, 5])

  await pages[1].locator('#note-text').fill('to all of you')
  await pages[1].locator('#note-text').press('Enter')
  for (const page of pages) {
    await page.locator('#note-1').waitFor()
    await page.locator('#people', { hasText: '3 people are here' }).waitFor()
    t.same(await notesOf(page), ['to all of you'])
    t.equal(await page.locator('#people li').count(), 3)
  }
  const signs = await textsOf(pages[0], '#people li')
  t.same(await textsOf(pages[2], '#people li'), signs)

  await pages[0].close()
  await pages[1].close()
  await pages[2].locator('#people', { hasText: '2 people are here' }).waitFor()
  await pages[3].close()
  await until(() => app.eventStreams.open === 2, 'another tab is closed')
  t.equal(await peopleOf(pages[4]), '2 people are here')
  await pages[4].close()
  await pages[2].locator('#people', { hasText: '1 person is here' }).waitFor()
  t.same(await textsOf(pages[2], '#people li'), [signs[2]], 'a call sign stays with its visitor')
})

onBoth('a tab that was away for too long starts after what it shows', async (t, path) => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url + path, { expected: LOST })
  await app.station.notes.add('before')
  await page.locator('#note-1').waitFor()
  let isAway = true
  await page.route(STREAM, route => isAway ? route.abort() : route.continue())
  app.server.closeAllConnections()
  await light(page, 'lost')
  // More than the channel keeps, so the tab's place in the log is gone.
  for (let number = 0; number < 100; number++) app.station.log.write(JSON.stringify({ level: 30, time: number * 1000, msg: `line ${number}` }))
  await app.station.notes.add('while it was away')
  isAway = false
  await page.locator('#note-2').waitFor()
  await page.locator('#log > li', { hasText: /line 99/ }).waitFor()
  t.same(await notesOf(page), ['before', 'while it was away'])
  const lines = await linesOf(page)
  t.equal(lines.filter(line => line.includes('line 99')).length, 1)
  t.notOk(lines.some(line => line.includes('line 9 ')))
  t.equal(app.eventStreams.open, 1)
})

onBoth('a proxy that answers 503 for a while costs no note', async (t, path) => {
  const { app, url } = await startApp(t)
  await app.station.notes.add('first')
  const page = await openPage(t, url + path, { expected: LOST })
  await app.station.notes.add('second')
  await page.locator('#note-2').waitFor()

  let onRefused
  const refused = new Promise(resolve => { onRefused = resolve })
  await page.route(STREAM, async route => {
    await route.fulfill({ status: 503 })
    onRefused()
  })
  app.server.closeAllConnections()
  await refused
  await app.station.notes.add('third')
  await page.unroute(STREAM)

  await page.locator('#note-3').waitFor()
  await light(page, 'connected')
  await app.station.notes.add('fourth')
  await page.locator('#note-4').waitFor()
  t.same(await notesOf(page), ['first', 'second', 'third', 'fourth'])
  t.equal(app.eventStreams.open, 1)
})

onBoth('a template that fails shows why, and only its own panel stops', async (t, path) => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url + path)
  await page.getByRole('button', { name: 'Break this template' }).click()
  const box = page.locator('#machine > .chirp-block-error')
  await box.waitFor()
  t.equal(await box.getAttribute('data-block'), 'machine')
  t.equal(await box.textContent(), "UndefinedError: 'machine' is undefined")

  await app.station.notes.add('still here')
  await page.locator('#note-1').waitFor()
  await page.locator('#log > [data-level=error]', { hasText: 'the error box of an event of channel "machine" was published instead of it' }).first().waitFor()
  await page.locator('#machine .lane').first().waitFor()
  t.equal(await box.count(), 0, 'and it recovers')
  t.equal(app.eventStreams.total, 1, 'on the same stream')
})

t.test('in production a template tells the client nothing', async t => {
  const { app, url } = await startApp(t, { debug: false, interval: 60000 })
  const page = await openPage(t, url)
  app.station.machine.breakFor(1)
  await page.locator('#machine .lane').first().waitFor({ state: 'detached' })
  t.equal(await page.locator('.chirp-block-error').count(), 0)
  t.notMatch(await page.locator('#machine').textContent(), /undefined/)
})

onBoth('closed tabs leave nothing behind', async (t, path) => {
  const { app, url } = await startApp(t)
  const pages = [await openPage(t, url + path), await openPage(t, url + path), await openPage(t, url + path)]
  t.equal(app.eventStreams.open, 3)
  t.same(channelsOf(app).map(({ size }) => size), [3, 3, 3, 3])
  t.ok(app.station.machine.isRunning)
  for (const page of pages) await page.close()
  t.ok(await isQuiet(app))
})

onBoth('a page in the back/forward cache holds no stream, and is live when it comes back', async (t, path) => {
  const { app, url } = await startApp(t)
  // A style sheet has no icon of its own, so the browser looks for the usual one.
  const page = await openPage(t, url + path, { expected: /status of 404/, isWhole: true })
  await page.evaluate(() => { window.kept = true })
  await page.goto(`${url}/assets/station.css`)
  await isQuiet(app)
  await app.station.notes.add('while away')
  await page.goBack({ waitUntil: 'commit' })
  await light(page, 'connected')
  await page.locator('#note-1').waitFor()
  t.same(await notesOf(page), ['while away'])
  t.ok(await page.evaluate(() => window.kept))
})

t.test('the log shows requests as text, and none for assets', async t => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url)
  const path = '/<img/src=x/onerror=alert(1)>'
  const socket = connect(app.server.address().port, '127.0.0.1')
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  socket.resume()
  await once(socket, 'close')
  await page.locator('#log > li', { hasText: `GET ${path} 404` }).waitFor()
  t.equal(await page.locator('#log img').count(), 0)
  const lines = await linesOf(page)
  t.notOk(lines.some(line => /assets|vendor/.test(line)))
  t.equal(lines.filter(line => line.includes('GET / ')).length, 1, 'the gap between page and stream is covered')
  t.equal(new Set(lines).size, lines.length)
})

t.test('long lists are cut at their old end', async t => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url)
  for (let number = 1; number <= 60; number++) await app.station.notes.add(`note ${number}`)
  await page.locator('#note-60').waitFor()
  const notes = await notesOf(page)
  t.equal(notes.length, 50)
  t.equal(notes[0], 'note 11')
  t.equal(notes.at(-1), 'note 60')
})

t.test('on a phone nothing is wider than the screen', async t => {
  const { app, url } = await startApp(t)
  await app.station.notes.add('W'.repeat(280))
  const page = await openPage(t, url, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  await page.getByRole('button', { name: TOPICS[0].question }).tap()
  await light(page, 'closed', 'answer')
  app.station.machine.breakFor(5)
  await page.locator('.chirp-block-error').waitFor()
  await page.evaluate(() => { document.querySelector('h1').textContent = 'a-very-long-name-of-a-host.in.some.rack.example' })
  const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: window.innerWidth }))
  t.equal(width, 390)
  t.equal(scroll, 390)
})

t.test('light and dark follow the system, and both can be read', async t => {
  const { url } = await startApp(t)
  const page = await openPage(t, url)
  const colours = () => page.evaluate(() => {
    const { backgroundColor, color } = window.getComputedStyle(document.body)
    const luminance = text => {
      const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3)
        .map(part => part / 255)
        .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    return { paper: luminance(backgroundColor), ink: luminance(color) }
  })
  const contrast = ({ paper, ink }) => (Math.max(paper, ink) + 0.05) / (Math.min(paper, ink) + 0.05)

  await page.emulateMedia({ colorScheme: 'light' })
  const day = await colours()
  await page.emulateMedia({ colorScheme: 'dark' })
  const night = await colours()
  t.ok(day.paper > 0.7 && night.paper < 0.05)
  t.ok(contrast(day) > 7 && contrast(night) > 7)
})

t.test('without script the forms work too', async t => {
  const { url } = await startApp(t)
  const page = await openPage(t, url, { javaScriptEnabled: false, isOpen: false })
  await page.fill('#note-text', 'by hand')
  await page.locator('.notes button').click()
  t.same(await notesOf(page), ['by hand'])
  const { question, text } = TOPICS[0]
  await page.getByRole('button', { name: question }).click()
  t.equal((await page.locator('#answer .words').textContent()).trim(), text)
})
