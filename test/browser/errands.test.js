// What people do together in the example app, in real browsers: they edit a list, and open many tabs.
import { until } from './browser.js'
import { startApp } from './station.js'
import { light, newVisitor, onBoth, openPage } from './visitors.js'

const lineOf = (page, id) => page.locator(`#errand-${id} [name=text]`)
const linesOf = page => page.locator('#errands [name=text]').evaluateAll(inputs => inputs.map(input => input.value))

onBoth('two people edit one list: what one types stays, what the other changes arrives', async (t, path) => {
  const { url } = await startApp(t, { interval: 1000 })
  const [one, two] = await Promise.all([1, 2].map(async () => openPage(t, url + path, { context: await newVisitor(t) })))

  await lineOf(one, 1).fill('half a sen')
  await lineOf(one, 1).evaluate(input => input.setSelectionRange(2, 4))
  await lineOf(two, 2).fill('buy bread')
  await lineOf(two, 2).press('Tab')
  await until(async () => (await linesOf(one))[1] === 'buy bread', 'the other line has followed')
  t.same(await lineOf(one, 1).evaluate(input => [input.value, document.activeElement === input, input.selectionStart, input.selectionEnd]), ['half a sen', true, 2, 4])

  await lineOf(one, 1).fill('half a sentence')
  await lineOf(one, 1).press('Enter')
  await until(async () => (await linesOf(two))[0] === 'half a sentence', 'what is sent is in both')

  await two.locator('#errand-2 [name=done]').check()
  await until(async () => await one.locator('#errand-2 [name=done]').isChecked(), 'done is done for all')
  const counts = page => page.locator('[data-signal="errands-left"], [sse-swap="signal:errands-left"]').allTextContents()
  for (const page of [one, two]) await until(async () => (await counts(page)).join() === '2,2,2', 'one number in three places')
  await one.getByRole('button', { name: 'Add a line' }).click()
  for (const page of [one, two]) await lineOf(page, 4).waitFor()
  await lineOf(one, 3).fill('')
  await lineOf(one, 3).press('Tab')
  await lineOf(two, 3).waitFor({ state: 'detached' })
  t.same(await linesOf(two), ['half a sentence', 'buy bread', ''])
  t.same(await linesOf(one), ['half a sentence', 'buy bread', ''])
  await one.reload()
  t.same(await linesOf(one), ['half a sentence', 'buy bread', ''], 'a page loaded now is the same')
  t.ok(await one.locator('#errand-2 [name=done]').isChecked())
})

onBoth('a tab too many says what is wrong, and works but for that', async (t, path) => {
  const { app, url } = await startApp(t, { interval: 1000 })
  const context = await newVisitor(t)
  for (let tab = 1; tab <= 5; tab++) await openPage(t, url + path, { context })
  const sixth = await openPage(t, url + path, { context, isOpen: false })
  await light(sixth, 'busy')
  t.equal(await sixth.locator('[data-status=live]').textContent(), 'five streams of this browser are open: close a tab')
  t.equal(app.eventStreams.open, 5)
  await sixth.locator('#note-text').fill('from the sixth')
  await sixth.locator('#note-text').press('Enter')
  await context.pages()[0].locator('#note-1').waitFor()
})
