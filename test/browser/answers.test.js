// The answers of the example app in a real browser: jobs that go on without the tab that asked.
import t from 'tap'
import { TestClient } from 'fastify-chirp/testing'
import { TOPICS } from '../../example-app/answers.js'
import { until } from './browser.js'
import { startApp } from './station.js'
import { light, LOST, newVisitor, onBoth, openPage } from './visitors.js'

onBoth('an answer is typed out, and its stream closes', async (t, path) => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url + path)
  const { question, text } = TOPICS.find(topic => topic.id === 'script')
  await page.getByRole('button', { name: question }).click()
  const words = page.locator('#answer .words')
  await words.locator('span').nth(1).waitFor()
  await light(page, 'closed', 'answer')
  t.equal((await words.textContent()).trim(), text)
  t.equal(await words.getAttribute('aria-busy'), 'false')
  await until(() => app.eventStreams.open === 1, 'only the live stream is left')

  // The same question once more starts at its first word.
  await page.getByRole('button', { name: question }).click()
  await until(() => app.eventStreams.total === 3 && app.eventStreams.open === 1, 'a new answer has come to its end')
  await page.locator('#answer .words[aria-busy=false]').waitFor()
  t.equal((await words.textContent()).trim(), text)
  t.equal(app.eventStreams.total, 3, 'nobody dialed again after the end')
})

onBoth('an answer goes on over a lost connection, a reload and in a second tab', async (t, path) => {
  const { app, url } = await startApp(t, { wordDelay: 100 })
  const context = await newVisitor(t)
  const page = await openPage(t, url + path, { context, expected: LOST })
  const { question, text } = TOPICS.find(topic => topic.id === 'tabs')
  const words = page => page.locator('#answer .words')
  const said = async page => (await words(page).textContent()).trim()
  const beyond = (page, count) => words(page).locator('span').nth(count).waitFor()
  await page.getByRole('button', { name: question }).click()
  await beyond(page, 3)
  app.server.closeAllConnections()
  await light(page, 'lost', 'answer')
  await page.reload()
  await beyond(page, 3)
  const second = await openPage(t, url + path, { context })
  for (const tab of [page, second]) {
    await light(tab, 'closed', 'answer')
    t.equal(await said(tab), text)
    t.equal(await tab.getByRole('button', { name: 'Stop' }).count(), 0)
    t.equal(await tab.getByRole('button', { name: 'Try again' }).count(), 0)
  }
  t.equal(app.eventStreams.errors, 0)

  const stranger = await openPage(t, url + path)
  t.equal(await stranger.locator('#answer h3').count(), 0, 'nobody else has it')
})

onBoth('a stopped answer ends in every tab, and stays as it is', async (t, path) => {
  const { app, url } = await startApp(t, { wordDelay: 200 })
  const context = await newVisitor(t)
  const page = await openPage(t, url + path, { context })
  const { question, text } = TOPICS[0]
  await page.getByRole('button', { name: question }).click()
  await page.locator('#answer .words span').first().waitFor()
  const second = await openPage(t, url + path, { context })
  await light(second, 'connected', 'answer')
  await second.getByRole('button', { name: 'Stop' }).click()
  for (const tab of [page, second]) await light(tab, 'closed', 'answer')
  const said = await page.locator('#answer .words').textContent()
  t.ok(text.startsWith(said.trim()) && said.length < text.length)
  await page.reload()
  await light(page, 'closed', 'answer')
  t.equal(await page.locator('#answer .words').textContent(), said)
  t.equal(app.eventStreams.errors, 0)
})

onBoth('an answer whose source fails says so, also after a reload, and is tried again', async (t, path) => {
  const { app, url } = await startApp(t)
  const page = await openPage(t, url + path)
  const { question, text, failsAt } = TOPICS.find(topic => topic.id === 'failure')
  await page.getByRole('button', { name: question }).click()
  for (const look of ['at once', 'after a reload']) {
    await page.locator('#answer .alert', { hasText: 'the source lost its thread' }).waitFor()
    await light(page, 'failed', 'answer')
    t.equal(await page.locator('#answer .words span').count(), failsAt, look)
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    if (look === 'at once') await page.reload()
  }
  t.equal(app.eventStreams.errors, 1)

  await page.getByRole('button', { name: 'Try again' }).click()
  await light(page, 'closed', 'answer')
  t.equal((await page.locator('#answer .words').textContent()).trim(), text)
  t.equal(await page.locator('#answer .alert').textContent(), '')
  t.equal(app.eventStreams.errors, 1)
})

t.test('only its own browser can have an answer started again', async t => {
  const { app } = await startApp(t)
  const ask = async (id, cookies) => (await new TestClient(app).sse(`/answers/${id}`, { maxEvents: 2, headers: { cookie: cookies } })).status
  t.equal(await ask('restart.1', 'answer=script.1'), 404)
  t.equal(await ask('nonsense', 'answer=nonsense'), 404)
  t.equal(app.job('answer:restart.1'), undefined)
  t.equal(await ask('restart.1', 'answer=restart.1'), 200)
  t.equal(app.job('answer:restart.1').state, 'running')
})

onBoth('another answer stops the one before', async (t, path) => {
  const { app, url } = await startApp(t, { wordDelay: 60000 })
  const page = await openPage(t, url + path)
  for (const { question } of TOPICS.slice(0, 2)) {
    await page.getByRole('button', { name: question }).click()
    await page.locator('#answer h3', { hasText: question }).waitFor()
    await light(page, 'connected', 'answer')
  }
  await until(() => app.eventStreams.total === 3 && app.eventStreams.open === 2, 'one answer is open')
  await page.locator('#log > li', { hasText: /job is over stopped after/ }).waitFor()
})
