// Makes docs/images/example.png, the picture of the example app in the README: `npm run picture`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import { buildApp } from '../example-app/app.js'
import { launch, until } from '../test/browser/browser.js'

const FILE = fileURLToPath(new URL('../docs/images/example.png', import.meta.url))
const NOTES = ['The lamp in room 7 is broken.', 'A new one is on its way.', 'It works again, thank you!']

const folder = await mkdtemp(join(tmpdir(), 'picture-'))
const app = await buildApp({ notesFile: join(folder, 'notes.jsonl'), debug: false, interval: 250 })
const browser = await launch()
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const text of NOTES) await fetch(`${url}/notes`, { method: 'POST', body: new URLSearchParams({ text }), redirect: 'manual' })
  const others = []
  for (let n = 0; n < 2; n++) others.push(await (await browser.newContext()).newPage())
  for (const page of others) await page.goto(url)
  const page = await (await browser.newContext({ viewport: { width: 1240, height: 1180 }, colorScheme: 'light' })).newPage()
  await page.goto(url)
  await until(() => page.locator('[data-sse-state="connected"]').count(), 'the stream is open')
  await page.getByRole('button', { name: 'Where is the JavaScript?' }).click()
  // So that the charts have something to show.
  await setTimeout(8000)
  await page.screenshot({ path: FILE, scale: 'css' })
} finally {
  await browser.close()
  await app.close()
  await rm(folder, { recursive: true })
}
