// Tables of templates and what the checker should find in them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import nunjucks from 'nunjucks'
import t from 'tap'
import { categories } from 'fastify-chirp/contracts'
import { buildApp } from './app.js'

/** Stands in a template or source right before what should be found. */
const MARK = '¦'

/**
 * Runs cases of one category, each with an app of its own:
 *
 * - `templates`: texts by name, or the text of page.html
 * - `source`: texts by name, or the text of app.js; `import` lines are not followed
 * - `tags`: custom tags with a content; `preprocess` of their extension
 * - `routes`: `'GET /live stream'`, where `stream` may also be `events=a,b`, `referenced` or `unknown`
 * - `declare`: is called with the app, to declare signals and live views
 * - `finds`: routes that should be found; what is marked with ¦ should be found too, and nothing else
 * - `shared`: the environment is the app's own, and rendered by reply.view() too
 * - `severity`: of all that is found, unless it is the one of the category
 * - `says`: the messages, or the only one
 */
export async function checkCases (t, category, severity, cases) {
  for (const [name, given] of Object.entries(cases)) {
    await t.test(name, async t => {
      const { issues, marks } = await findings(t, given)
      const found = issues.filter(issue => issue.category === category)
      t.strictSame(found.map(place).sort(), [...marks, ...given.finds ?? []].sort(), 'where')
      t.strictSame([...new Set(found.map(({ severity }) => severity))], found.length === 0 ? [] : [given.severity ?? severity], 'severity')
      if (given.says !== undefined) t.strictSame([...new Set(found.map(({ message }) => message))], [given.says].flat(), 'messages')
    })
  }
}

const severityOf = name => categories.find(({ category }) => category === name).severity

/** What a rule finds in `cases`, and what it leaves alone. */
export const rule = (category, cases) => t.test(category, t => checkCases(t, category, severityOf(category), cases))

/** A whole page. */
export const page = body => `<!doctype html>\n<html><body>\n${body}\n</body></html>\n`

/** All that the checker finds in an app, and where its marks are. */
export async function findings (t, { templates = {}, source = {}, routes = [], declare = () => {}, tags, preprocess, shared, severities, settings, contracts }) {
  const root = t.testdir()
  const marks = []
  const write = (folder, name, marked) => {
    const [text, positions] = takeMarks(marked)
    const path = join(root, folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    const label = folder === 'views' ? name : relative(process.cwd(), path)
    marks.push(...positions.map(position => `${label}:${position}`))
  }
  mkdirSync(join(root, 'views'))
  for (const [name, text] of entriesOf(templates, 'page.html')) write('views', name, text)
  const sources = entriesOf(source, 'app.js')
  for (const [name, text] of sources) write('source', name, text)
  const folder = join(root, 'views')
  const app = await buildApp(t, { templates: tags === undefined && !shared ? folder : createEnvironment(folder, tags ?? [], preprocess), ...settings })
  if (shared) app.decorateReply('view', () => {})
  for (const route of routes) addRoute(app, route)
  await declare(app)
  const { issues } = await app.checkContracts({ sources: sources.length === 0 ? [] : [join(root, 'source')], severities, ...contracts })
  return { issues, marks }
}

/** `page.html:1:2`, or the route. */
export function place ({ template, file, line, column, route }) {
  const name = line === undefined ? template ?? file : file?.includes('/source/') ? file : template
  return name === undefined ? route : [name, line, column].filter(part => part !== undefined).join(':')
}

function createEnvironment (folder, tags, preprocess) {
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder))
  environment.addExtension('custom', {
    tags,
    preprocess,
    parse (parser, nodes) {
      const tag = parser.nextToken()
      parser.advanceAfterBlockEnd(tag.value)
      const body = parser.parseUntilBlocks(`end${tag.value}`)
      parser.advanceAfterBlockEnd()
      return new nodes.CallExtension(this, 'run', null, [body])
    }
  })
  return environment
}

function takeMarks (marked) {
  const [first, ...rest] = marked.split(MARK)
  let text = first
  const positions = []
  for (const part of rest) {
    const lines = text.split('\n')
    positions.push(`${lines.length}:${lines.at(-1).length + 1}`)
    text += part
  }
  return [text, positions]
}

function entriesOf (texts, name) {
  return Object.entries(typeof texts === 'string' ? { [name]: texts } : texts)
}

function addRoute (app, route) {
  const [method, url, ...marks] = route.split(' ')
  const events = marks.find(mark => mark.startsWith('events='))?.slice('events='.length).split(',')
  const plain = (request, reply) => reply.send('')
  const stream = (request, reply) => reply.eventStream([])
  // A handler that tells nothing.
  const handler = marks.includes('unknown') ? plain.bind(null) : events !== undefined || marks.includes('stream') ? stream : plain
  app.route({ method: method === 'ALL' ? app.supportedMethods : method, url, handler, referenced: marks.includes('referenced'), ...(events && { events }) })
}
