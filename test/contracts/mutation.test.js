// Breaks the wires of the example one at a time, and holds that the checker
// names each of them. What counts as a wire is found by patterns, over all
// templates and source files, so that nothing is picked by hand.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const example = fileURLToPath(new URL('../../example-app', import.meta.url))
const files = readdirSync(example, { recursive: true }).map(name => name.replaceAll('\\', '/'))
const templates = files.filter(name => name.endsWith('.html'))
// server.js only starts the app.
const sources = files.filter(name => name.endsWith('.js') && !name.startsWith('public/') && name !== 'server.js')

const inPath = path => path.replace(/^\/([^/?{]*)/, '/$1x')
const anywhere = text => `${text}x`
const METHODS = { get: 'post', post: 'put' }

// The first group of a pattern is the wire, which `mutate` breaks. A finding names it where it stands, or by what it is, or by the second group.
const WIRES = [
  { kind: 'an address', in: templates, pattern: /[\s}](?:href|src|action|hx-(?:get|post|put|patch|delete)|sse-connect)="(\/[^"]*)"/dg, mutate: inPath },
  { kind: 'a connection', in: templates, pattern: /\{ sse_connect\("(\/[^"]*)"/dg, mutate: inPath },
  { kind: 'a swap', in: templates, pattern: /(?:\bsse-swap=|\bsse_swap\()"([^"]+)"/dg, mutate: anywhere },
  { kind: 'the end of a stream', in: templates, pattern: /(?:\bsse-close=|\bsse_close\()"([^"]+)"/dg, mutate: anywhere },
  { kind: 'a target', in: templates, pattern: /\shx-target="(#[^"]+)"/dg, mutate: anywhere },
  { kind: 'the id of a target', in: templates, pattern: /\sid="([^"{]+)"/dg, mutate: anywhere, only: id => isTarget(id) },
  { kind: 'a template', in: templates, pattern: /\{% (?:extends|include|import) "([^"]+)"/dg, mutate: anywhere },
  // Deferred parts are named by nobody.
  { kind: 'a block', in: templates, pattern: /\{%-? block (\w+)/dg, mutate: anywhere, only: name => !/^(?:disk|processors)$/.test(name) },
  { kind: 'a route', in: sources, pattern: /\bapp\.(?:get|post)\('([^']+)'/dg, mutate: inPath },
  { kind: 'a method', in: sources, pattern: /\bapp\.(get|post)\('([^':]+)/dg, mutate: method => METHODS[method] },
  { kind: 'a folder of files', in: sources, pattern: /^ {2}'(\/[^']+\/)': new URL/dgm, mutate: inPath },
  { kind: 'a declared event', in: sources, pattern: /(?<=events: \[[^\]]*)'([^']+)'/dg, mutate: anywhere },
  { kind: 'the template of a fragment', in: sources, pattern: /new Fragment\('([^']+)'/dg, mutate: anywhere },
  { kind: 'the block of a fragment', in: sources, pattern: /new Fragment\('[^']+', '([^']+)'/dg, mutate: anywhere },
  { kind: 'the target of a fragment', in: sources, pattern: /\btarget: '([^']+)'/dg, mutate: anywhere },
  { kind: 'the template of a page', in: sources, pattern: /^const PAGE = '([^']+)'/dgm, mutate: anywhere },
  { kind: 'the block of an answer', in: sources, pattern: /\breply\.fragment\(PAGE, '([^']+)'/dg, mutate: anywhere },
  { kind: 'the event at the end', in: sources, pattern: /\bcloseEvent: '([^']+)'/dg, mutate: anywhere }
]

// What of an address is not filled in later.
const literal = text => text.replace(/[:{].*/, '')

const text = Object.fromEntries([...templates, ...sources].map(name => [name, readFileSync(join(example, name), 'utf8')]))
const isTarget = id => templates.some(name => text[name].includes(`hx-target="#${id}"`))

const mutations = WIRES.flatMap(({ kind, in: names, pattern, mutate, only = () => true }) => names.flatMap(name =>
  [...text[name].matchAll(pattern)].filter(([, wire]) => only(wire)).map(match => {
    const [, wire, subject = literal(wire)] = match
    const [, [start]] = match.indices
    const broken = mutate(wire)
    return {
      kind,
      name,
      wire,
      names: [subject, literal(broken)],
      line: text[name].slice(0, start).split('\n').length,
      text: text[name].slice(0, start) + broken + text[name].slice(start + wire.length)
    }
  })))

/** What the checker finds in the example with one file replaced. */
async function check (folder, { name, text } = {}) {
  cpSync(example, folder, { recursive: true })
  if (name !== undefined) writeFileSync(join(folder, name), text)
  const { buildApp } = await import(join(folder, 'app.js'))
  const app = await buildApp({ notesFile: join(folder, 'none.jsonl'), debug: false })
  try {
    // A live view whose blocks are not there lets no app start.
    await app.ready()
    return (await app.checkContracts({ sources: [join(folder, 'app.js')] })).issues
  } catch (error) {
    return [error]
  } finally {
    await app.close()
  }
}

/** Whether a finding is about the place of the mutation, or names what was there or what is there now. */
function isNamed ({ name, line, names }, { template, file, line: at, message, route = '' }, folder) {
  if (at === line && (name === `views/${template}` || (file !== undefined && relative(folder, file) === name))) return true
  return names.some(part => message.includes(part) || route.includes(part))
}

t.test('the example is clean', async t => {
  t.same(await check(t.testdir({})), [])
})

t.test('every wire that is broken is named', async t => {
  const home = t.testdir({})
  const missed = []
  for (const [index, mutation] of mutations.entries()) {
    const folder = join(home, String(index))
    const issues = await check(folder, mutation)
    if (!issues.some(issue => isNamed(mutation, issue, folder))) missed.push(`${mutation.kind}: ${mutation.wire} (${mutation.name}:${mutation.line})`)
  }
  t.comment(`${mutations.length} wires`)
  t.same(missed, [])
  for (const { kind } of WIRES) t.ok(mutations.some(mutation => mutation.kind === kind), `there is ${kind}`)
})
