// The command `fastify-chirp`, as it is run in a shell, and apps for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const bin = fileURLToPath(new URL('../../dist/contracts/cli.js', import.meta.url))

export const BROKEN = '<p>\n  {{ name | }}\n</p>\n'
// With a handler that names the template, so that it is in use.
export const BEGIN = "import Fastify from 'fastify'\nimport chirp from 'fastify-chirp'\nconst render = (request, reply) => reply.page('page.html')\n"
export const REGISTER = "await app.register(chirp, { templates: 'views' })"
export const make = (more = '') => `const app = Fastify(${more})\n${REGISTER}\n`
export const BUILD = '{ const app = Fastify(); app.register(chirp, {}); return app }'
export const APP = `${BEGIN}${make()}export default app\n`

/** A folder with an app. */
export function home (t, files = {}) {
  return t.testdir({ 'app.js': APP, views: { 'page.html': '<p>{{ name }}</p>\n' }, ...files })
}

/** Folders of their own for many apps, `{ title: files }`. */
export function homes (t, apps) {
  const common = { 'app.js': APP, views: { 'page.html': '<p>{{ name }}</p>\n' } }
  const folder = t.testdir(Object.fromEntries(Object.values(apps).map((files, index) => [`app-${index}`, structuredClone({ ...common, ...files })])))
  return Object.keys(apps).map((title, index) => [title, join(folder, `app-${index}`)])
}

/** Calls `work` for all items, some at the same time. */
export async function each (items, work) {
  const queue = [...items]
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}

/** Runs the command in a folder. */
export async function run (cwd, args, { env = {}, before = [] } = {}) {
  const child = spawn(process.execPath, [...before, bin, ...args], { cwd, env: { ...process.env, NODE_ENV: 'test', ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => { output[name] += text })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

// What the summary says of an app with one template and no route.
export const EXTENT = '1 template, 0 routes: 0 read, 0 not\n'

export const broken = { views: { 'page.html': BROKEN } }
