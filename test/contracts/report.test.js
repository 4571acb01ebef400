// Reports of the checker: their order, their forms, and what a baseline knows.
import { join, relative } from 'node:path'
import t from 'tap'
import { formatGithub, formatJson, formatText } from 'fastify-chirp/contracts'
import { readBaseline, subtract, writeBaseline } from '../../dist/contracts/baseline.js'
import { createReport } from '../../dist/contracts/report.js'

const ISSUES = [
  { severity: 'error', category: 'link', message: 'No route', template: 'b.html', line: 3, column: 5 },
  { severity: 'warning', category: 'orphan', message: 'Nobody', route: 'GET /x' },
  { severity: 'info', category: 'source-error', message: 'What?', file: 'gone.js', line: 2 },
  { severity: 'error', category: 'link', message: 'No route', template: 'b.html', line: 1, column: 9 },
  { severity: 'error', category: 'asset', message: 'No file', template: 'a.html' },
  { severity: 'info', category: 'mixed-dialects', message: 'Two' }
]

t.test('a report is sorted by place, and counts', async t => {
  const { ok, issues, counts } = createReport(ISSUES)
  t.equal(ok, false)
  t.same(counts, { error: 3, warning: 1, info: 2, templates: 0, routes: 0, routesRead: 0, routesUnread: 0 })
  t.same(issues.map(({ template, file, route, line }) => [template ?? file ?? route, line]),
    [[undefined, undefined], ['GET /x', undefined], ['a.html', undefined], ['b.html', 1], ['b.html', 3], ['gone.js', 2]])
  const same = { severity: 'info', category: 'a', message: 'a', template: 'x', line: 1, column: 1 }
  const order = createReport([{ ...same, column: 2 }, { ...same, category: 'b' }, { ...same, message: 'b' }, same])
  t.same(order.issues, [same, { ...same, message: 'b' }, { ...same, category: 'b' }, { ...same, column: 2 }])
  t.equal(createReport(ISSUES.filter(({ severity }) => severity !== 'error')).ok, true)
})

t.test('a report as text', async t => {
  t.equal(formatText(createReport([])), 'No findings\n0 templates, 0 routes: 0 read, 0 not\n')
  t.equal(formatText(createReport(ISSUES)), `The app
  info  mixed-dialects
    Two

GET /x
  warning  orphan
    Nobody

a.html
  error  asset
    No file

b.html
  error  link  1:9
    No route
  error  link  3:5
    No route

gone.js
  info  source-error  2
    What?

3 errors, 1 warning, 2 infos
0 templates, 0 routes: 0 read, 0 not
`)
})

t.test('a line of the source that is about a template is in the source', async t => {
  const issue = { severity: 'error', category: 'fragment', message: 'No block', template: 'page.html', line: 9, column: 2 }
  const file = relative('.', join(t.testdir({ 'app.js': 'new Fragment()' }), 'app.js'))
  t.equal(formatText(createReport([{ ...issue, file, line: 1, column: 1 }, { ...issue, file: 'views/page.html' }])), `${file}
  error  fragment  1:1
    No block
    > 1 | new Fragment()
        | ^

page.html (views/page.html)
  error  fragment  9:2
    No block

2 errors
0 templates, 0 routes: 0 read, 0 not
`)
})

t.test('the lines around a finding, marked', async t => {
  const folder = t.testdir({ 'x.html': 'one\r\n\ttwo\n\nfour', 'wide.html': `${'a'.repeat(300)}<b>${'c'.repeat(300)}` })
  const frame = (name, line, column) => formatText(createReport([
    { severity: 'error', category: 'link', message: 'm', template: 'x', file: join(folder, name), line, column }
  ])).split('\n').slice(3, -4)
  t.same(frame('x.html', 2, 2), ['      1 | one', '    > 2 |  two', '        |  ^', '      3 |'])
  t.same(frame('x.html', 1, 1), ['    > 1 | one', '        | ^', '      2 |  two'])
  t.same(frame('x.html', 4), ['      3 |', '    > 4 | four'])
  t.same(frame('x.html', 5, 1), [], 'it has no such line any more')
  const [line, mark] = frame('wide.html', 1, 301)
  t.equal(line.length, 130)
  t.equal(line.indexOf('<b>'), mark.indexOf('^'), 'a wide line is cut around its place')
})

t.test('colours are there when they are asked for', async t => {
  const report = createReport([ISSUES[1]])
  t.equal(formatText(report, { color: true }), '\u001b[1mGET /x\u001b[22m\n  \u001b[33mwarning\u001b[39m  orphan\n    Nobody\n\n1 warning\n0 templates, 0 routes: 0 read, 0 not\n')
  t.equal(formatText(report, { color: false }), formatText(report))
})

t.test('a report as JSON', async t => {
  const report = createReport(ISSUES)
  t.same(JSON.parse(formatJson(report)), report)
  t.match(formatJson(report), /^\{\n {2}"ok": false,[^]*\}\n$/)
})

t.test('a report as annotations, escaped', async t => {
  t.equal(formatGithub(createReport([])), '')
  t.equal(formatGithub(createReport([
    ...ISSUES.slice(1, 3),
    { severity: 'error', category: 'link', message: '100 %\r\nmore: a, b', template: 'a.html', file: 'x:y,z%.html', line: 1, column: 2 },
    { severity: 'info', category: 'link', message: 'm', template: 'loaded.html', line: 1 },
    { severity: 'info', category: 'link', message: 'm' }
  ])), `::notice title=fastify-chirp%3A link::m
::warning title=fastify-chirp%3A orphan::GET /x: Nobody
::notice file=gone.js,line=2,title=fastify-chirp%3A source-error::What?
::notice line=1,title=fastify-chirp%3A link::loaded.html: m
::error file=x%3Ay%2Cz%25.html,line=1,col=2,title=fastify-chirp%3A link::100 %25%0D%0Amore: a, b
`)
})

t.test('a baseline knows findings by what they say, and how often', async t => {
  const known = readBaseline(writeBaseline(createReport([...ISSUES, { ...ISSUES[0], line: 9, file: 'views/b.html' }])))
  t.same(known.find(({ template }) => template === 'b.html'), { category: 'link', template: 'b.html', message: 'No route', count: 3 })
  t.match(subtract(createReport(ISSUES), known), { report: { ok: true, issues: [] }, hidden: 6, gone: [{ template: 'b.html', count: 1 }] })
  const four = createReport([1, 2, 3, 4].map(line => ({ ...ISSUES[0], line })))
  const { report, hidden, gone } = subtract(four, known)
  t.same([report.issues.map(({ line }) => line), hidden, gone.length], [[4], 3, 4], 'one more than there was')
  const moved = message => createReport([{ ...ISSUES[0], message }])
  t.equal(subtract(moved('As on line 12'), readBaseline(writeBaseline(moved('As on line 7')))).hidden, 1)
  t.equal(subtract(moved('Another'), known).hidden, 0)
  const bad = { '{': /JSON/, '[]': /of version undefined, and not 1/, '{"version":2}': /of version 2/, '{"version":1}': /no list/, '{"version":1,"findings":[{}]}': /no list/ }
  for (const [text, message] of Object.entries(bad)) t.throws(() => readBaseline(text), { message }, text)
  t.same(readBaseline(formatJson(createReport(ISSUES))), readBaseline(writeBaseline(createReport(ISSUES))), 'a report will do as well')
  t.equal(subtract(createReport([ISSUES[0]]), [...known, ...known]).gone.find(({ template }) => template === 'b.html').count, 5, 'two baselines in one')
})
