// The README and docs/, and how their blocks are run. A comment before a block says what becomes of it:
//
//   <!-- run: DIRECTORY/FILE -->  written there; the test of that directory runs it
//   <!-- from: FILE -->           a part of that file of the repository
//
// A block without one is checked by types.test.js, as all others are.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t from 'tap'
import { createParser } from 'eventsource-parser'
import chirp from 'fastify-chirp'
import { until } from './app.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const read = path => readFileSync(join(root, path), 'utf8')

/** The README, CONTRIBUTING and all pages of docs/, by their paths. */
export function documents () {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
  return ['README.md', 'CONTRIBUTING.md', ...pages.sort().map(name => `docs/${name}`)]
}

export const VIEWS = {
  'page.html': '<h1>News</h1>\n{% block list %}<ul>{% for item in items %}<li>{{ item }}</li>{% endfor %}</ul>{% endblock %}\n' +
    '{% block alert %}<p>{{ message }}</p>{% endblock %}',
  'news.html': '{% block item %}\n  <li>{{ text }}</li>\n{% endblock %}',
  'tickets.html': /^\/\/ (\{% block item .+)$/m.exec(read('docs/guide/channels.md'))[1]
}

// The examples of the rules below are for contracts/rules.test.js.
export const usage = read('docs/reference/contracts.md').split('## Rules')[0]

/** The blocks of code in a text, and what the comment before each says. */
export function blocksOf (text) {
  return [...text.matchAll(/(?:<!-- (run|from): (\S+) -->\n)?```(\w*)\n([\s\S]*?)```/g)]
    .map(([, kind, name, language, code]) => ({ kind, name, language, code }))
}

export const blocks = documents().flatMap(document => blocksOf(document === 'docs/reference/contracts.md' ? usage : read(document)).map(block => ({ document, ...block })))

// In a folder of the repository, so that `fastify-chirp` is this package.
export const home = t.testdir()
for (const { kind, name, code } of blocks) {
  if (kind !== 'run') continue
  mkdirSync(dirname(join(home, name)), { recursive: true })
  const needsApp = /\bapp[.)]/.test(code) && !/const app =|import \{ app \}|function \(app\)/.test(code)
  writeFileSync(join(home, name), needsApp ? `import { app } from './app.mjs'\n${code}` : code)
}

/** Runs a block that needs an app, and gives that app and what the block is asked to export. */
export async function runBlock (t, directory, exported = '') {
  const app = Fastify()
  t.teardown(() => app.close())
  const views = join(home, directory, 'views')
  mkdirSync(views, { recursive: true })
  for (const [name, text] of Object.entries(VIEWS)) if (!existsSync(join(views, name))) writeFileSync(join(views, name), text)
  await app.register(chirp, { templates: views, debug: false })
  globalThis[directory] = app
  writeFileSync(join(home, directory, 'app.mjs'), `export const app = globalThis[${JSON.stringify(directory)}]\n`)
  return { app, main: await importBlock(directory, exported) }
}

export async function importBlock (directory, exported) {
  const file = join(home, directory, 'main.mjs')
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport { ${exported} }\n`)
  return import(pathToFileURL(file))
}

/** Starts a program that prints its address, on a free port. */
export async function start (t, file, env = {}) {
  const child = spawn(process.execPath, [file], { cwd: dirname(file), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let output = ''
  child.stdout.on('data', chunk => { output += chunk })
  await until(() => /http:\S+\n/.test(output), `${file} prints its address`, 15000)
  return { child, url: /http:\S+/.exec(output)[0] }
}

/** The first `count` events of a stream, as a browser sees them. */
export async function readEvents (url, count, headers = {}) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), 10000)
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: controller.signal })
  const events = []
  const parser = createParser({ onEvent: event => events.push(event) })
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (events.length >= count) break
  }
  clearTimeout(timer)
  controller.abort()
  return events.slice(0, count)
}

/** The text of the first frames; `connected` is called once there is one. */
export async function firstText (url, frames, connected = () => {}) {
  const controller = new AbortController()
  const response = await fetch(url, { signal: controller.signal })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    if (text === '') await connected()
    text += decoder.decode(chunk, { stream: true })
    if (text.split('\n\n').length > frames) break
  }
  controller.abort()
  return text
}

export const maskIds = text => text.trimEnd().replace(/^id: .+-\d+/gm, 'id: EPOCH-N')

/** The text of the first frames of an injected stream. */
export async function readBody (app, url, frames) {
  const response = await app.inject({ url, payloadAsStream: true })
  let body = ''
  for await (const chunk of response.stream()) {
    body += chunk
    if (body.split('\n\n').length > frames) break
  }
  return { body }
}

/** The text below a heading of the second level. */
export function section (document, title) {
  return read(document).split(/^## /m).find(text => text.startsWith(`${title}\n`))
}

export function withoutCode (text) {
  return text.replace(/```[\s\S]*?```/g, '')
}

// As GitHub makes them.
export function anchors (text) {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)]
    .map(([, title]) => title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}
