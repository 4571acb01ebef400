// What the rules about templates and sources find, and what docs/reference/contracts.md says of all rules.
// A mark ¦ stands before what should be found.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { categories } from 'fastify-chirp/contracts'
import { findings, rule } from '../helpers/contracts.js'

const IMPORT = "import { Fragment as Piece } from 'fastify-chirp'\nimport * as chirp from 'fastify-chirp'\n"

rule('fragment', {
  'a block that does not exist': {
    templates: '{% block people %}{% endblock %}{% block machine %}{% endblock %}',
    source: `${IMPORT}new Piece('page.html', ¦'peple', { a: 1 })\n`,
    says: '"page.html" has no block "peple"; it has "people" and "machine". Did you mean "people"? Correct the name, or add the block'
  },
  'a template that does not exist': {
    templates: '{% block a %}{% endblock %}',
    source: `${IMPORT}new chirp.Fragment(¦'pgae.html', 'a')\n`,
    says: 'There is no template "pgae.html". Did you mean "page.html"? Correct the name, or add the template'
  },
  'what exists, in the template and in those that it extends': {
    templates: { 'base.html': '{% block a %}{% block b %}{% endblock %}{% endblock %}', 'page.html': '{% extends "base.html" %}{% block c %}{% endblock %}' },
    source: `${IMPORT}for (const block of ['x']) new Piece('page.html', block)\nnew Piece('page.html', 'a'); new Piece('page.html', 'b'); new Piece('page.html', 'c'); new Piece('base.html', ¦'c')\n`
  },
  replies: {
    templates: '{% block a %}{% endblock %}',
    source: "app.get('/', (request, reply) => reply.page(¦'x.html'))\napp.get('/', (request, reply) => reply.code(200).type('text/html').fragment('page.html', ¦'z', {}))\n" +
      "async function show (request, reply) { await reply.page('page.html', {}, { block: ¦'y' }); return reply.page('page.html', {}, options) }\n" +
      "reply.page(); reply.view('elsewhere.ejs'); other.page('nope.html'); page('nope.html'); reply['page']('nope.html'); this.reply.page('nope.html')\n",
    says: ['"page.html" has no block "z"; it has "a".', '"page.html" has no block "y"; it has "a".'].map(text => `${text} Correct the name, or add the block`)
      .toSpliced(0, 0, 'There is no template "x.html". Correct the name, or add the template')
  },
  'constants, template literals and choices': {
    templates: '{% block a %}{% endblock %}',
    source: `${IMPORT}const PAGE = 'page.html'\nconst NAME = \`\${PAGE}x\`\nconst COPY = (PAGE)\nnew Piece(PAGE, ¦'b')\nnew Piece(¦NAME, 'a')\nnew Piece(COPY, ¦'b')\nnew Piece('pa' + 'ge.html', ¦x ? 'a' : 'c')\n` +
      'new Piece(PAGE, 1 + 2)\nnew Piece(later, "a")\nconst later = "zzz.html"\nlet changing = "nope.html"\nnew Piece(changing, "a")\nnew Piece(`page.$' + '{x}`, "a")\nnew Piece(...all)\nnew Piece()\nString.raw`\\u{`\nnew Piece(x * 2, "a")\n'
  },
  'a name that is declared twice may mean either': {
    source: `${IMPORT}function a () { const NAME = 'a.html'; return new Piece(NAME, 'x') }\nfunction b (NAME) { return new Piece(NAME, 'x') }\n` +
      'class Fragment {}\nnew Fragment("nope.html", "x")\ntry { } catch (error) { } try { } catch { }\nexport default class {}\nexport function c ([d, { e = 1, f: g, ...h }], i = 2) {}\n'
  },
  'only the Fragment of the plugin': {
    source: "import { Fragment, other as Fragment2 } from 'elsewhere'\nimport chirp from 'fastify-chirp'\nnew Fragment('nope.html', 'x'); new Fragment2('nope.html', 'x'); new chirp.Fragment('nope.html', 'x'); new a.b.Fragment('nope.html', 'x'); new Unknown('nope.html', 'x'); new (f())('x')\n"
  },
  'CommonJS, TypeScript and JSX': {
    templates: '{% block a %}{% endblock %}',
    source: {
      'a.cjs': "const { Fragment, SSEEvent: Event, ...rest } = require('fastify-chirp')\nconst chirp = require('fastify-chirp')\nnew Fragment('page.html', ¦'b'); new chirp.Fragment(¦'x.html', 'a')\nrequire(a, b)\n",
      'b.mts': "import { Fragment, type Value } from 'fastify-chirp'\nconst name = 'x.html' as const\nconst f = <T>(x: T): Fragment => new Fragment(¦name!, 'a' satisfies string)\n",
      'c.jsx': "import { 'Fragment' as F } from 'fastify-chirp'\nexport const C = () => <p>{new F(¦'x.html', 'a')}</p>\n",
      'd.js': "const { 'Fragment': F, [a]: b, c: { d } } = await import('fastify-chirp')\nconst e = await import('elsewhere'), [g] = await import('fastify-chirp')\nnew F(¦'x.html', 'a')\n",
      'e.cjs': "with (a) { new Fragment('x.html', 'a') }\n"
    }
  },
  'templates whose blocks cannot all be told': {
    templates: { 'a.html': '{% extends layout %}{% block a %}{% endblock %}', 'b.html': '{% extends "broken.html" %}', 'broken.html': '{% if %}', 'c.html': 'no blocks' },
    source: `${IMPORT}new Piece('a.html', 'x'); new Piece('b.html', 'x'); new Piece('broken.html', 'x'); new Piece('c.html', ¦'x')\n`,
    says: '"c.html" has no block "x"; it has no blocks. Correct the name, or add the block'
  },
  'an app without templates': { source: `${IMPORT}new Piece('x.html', 'a')\n`, settings: { templates: undefined } }
})

rule('missing-template', {
  'names of templates that do not exist': {
    templates: { 'page.html': '{% extends ¦"layuot.html" %}', 'layout.html': '{% include ¦"x.html" %}{% import ¦"y.html" as y %}{% from ¦"./z.html" import z %}{% if a %}{% include ¦"w.html" %}{% endif %}' },
    says: [
      'There is no template "x.html" to include. Correct the name, or add the template',
      'There is no template "y.html" to import. Correct the name, or add the template',
      'There is no template "z.html" to import. Correct the name, or add the template',
      'There is no template "w.html" to include. Correct the name, or add the template',
      'There is no template "layuot.html" to extend. Did you mean "layout.html"? Correct the name, or add the template'
    ]
  },
  'what exists, is optional or is not known': {
    templates: { 'page.html': '{% extends "a/layout.html" %}', 'a/layout.html': '{% include "./b.html" %}{% include "../c.html" %}{% include x %}{% include "x.html" ignore missing %}', 'a/b.html': '', 'c.html': '' }
  },
  'a template that is not listed, and a broken one': { templates: { 'page.html': '{% include "data.txt" %}{% include "broken.html" %}', 'data.txt': '{% include ¦"other.txt" %}', 'broken.html': '{% if %}' } }
})

rule('unknown-block', {
  'a block that no parent has': {
    templates: { 'layout.html': '{% block content %}{% endblock %}', 'page.html': '{% extends "layout.html" %}{% ¦block contnet %}{% endblock %}' },
    source: 'export {}',
    says: 'No template that this one extends has the block "contnet", so no page shows it. Did you mean "content"? Correct the name, or add the block there'
  },
  'blocks that are placed': {
    templates: {
      'base.html': '{% block a %}{% endblock %}',
      'layout.html': '{% extends "base.html" %}{% block a %}{% block b %}{% endblock %}{% endblock %}',
      'page.html': '{% extends "layout.html" %}{% block a %}{% block own %}{% endblock %}{% endblock %}{% block b %}{% endblock %}',
      'alone.html': '{% block x %}{% endblock %}'
    }
  },
  'a block that is rendered alone': { templates: { 'layout.html': '', 'page.html': '{% extends "layout.html" %}{% block row %}{% endblock %}' }, source: "reply.fragment('page.html', 'row')" },
  'while the source is not known': { templates: { 'layout.html': '', 'page.html': '{% extends "layout.html" %}{% ¦block row %}{% endblock %}' }, severity: 'info' },
  'a parent that is not known': { templates: { 'page.html': '{% extends layout %}{% block row %}{% endblock %}', 'b.html': '{% if x %}{% extends "c.html" %}{% endif %}{% block x %}{% endblock %}', 'c.html': '' } }
})

rule('dead-template', {
  'a template that nothing names': {
    templates: { 'page.html': '{% include "part.html" %}', 'part.html': '', 'old.html': '' },
    source: "reply.page('page.html')",
    finds: ['old.html'],
    says: 'Nothing renders "old.html": neither the source nor another template names it. Remove it if it is not used'
  },
  'names without an extension, in variables, with paths, and partly known': {
    templates: { 'a.html': '{% include "parts/" ~ x ~ ".html" %}{% include y %}{{ render("d.html") }}', 'b.html': '', 'c/c.html': '', 'd.html': '', 'parts/e.html': '', 'mail/f.html': '', 'dead.html': '' },
    source: "reply.view('a'); const names = { b: './views/b.html' }; render('c/' + 'c.html'); send(`mail/$" + '{x}.html`); go(`${' + 'x}`)',
    finds: ['dead.html']
  },
  'while the source is not known': { templates: { 'old.html': '' } },
  'a template that names itself only': { templates: { 'old.html': '{{ x("old.html") }}' }, source: 'export {}', finds: ['old.html'] }
})

rule('template-error', {
  'a template that does not parse': {
    templates: '<p>\n  {{ name | ¦}}\n</p>',
    says: 'This template does not parse: expected symbol, got variable-end'
  },
  'the others are checked': { templates: { 'a.html': '{% include "b.html" %}', 'b.html': '{% if ¦%}', 'c.html': '<p></p>' } },
  'a comment that does not end': { templates: '\n{# a¦', says: 'This template does not parse: expected end of comment, got end of file' }
})

rule('source-error', {
  'a file that does not parse': {
    source: { 'a.js': 'const a =\n  ¦= 1\n', 'b.mjs': 'const ¦const', 'c.js': 'export {}' },
    says: ['Unexpected token', "Unexpected keyword 'const'"].map(what => `This file does not parse, and is left out of the check: ${what}`)
  },
  'what is newer than the rest': { source: 'using (x); export const a = await b\nreturn\n@decorated class A { accessor x = 1 }\nimport data from "./x.json" with { type: "json" }\n' }
})

t.test('docs/reference/contracts.md has each rule with its severity, and what it says is broken and repaired is so', async t => {
  const docs = readFileSync(new URL('../../docs/reference/contracts.md', import.meta.url), 'utf8')
  const sections = docs.slice(docs.indexOf('\n## Rules\n')).split('\n#### ').slice(1)
  const documented = sections.map(section => /^([a-z-]+)\n\n`(\w+)`\. /.exec(section)?.slice(1))
  t.strictSame(documented, categories.map(({ category, severity }) => [category, severity]))
  for (const [index, section] of sections.entries()) {
    const { category, severity } = categories[index]
    const routes = [...(/^Routes: (.*)$/m.exec(section)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, route]) => route)
    const shared = section.includes('\nTemplates: a shared environment\n')
    const named = line => [...(new RegExp(`^${line}: (.*)$`, 'm').exec(section)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name)
    const declare = app => {
      for (const name of named('Signals')) app.signal(name, { initial: 0 })
      const blocks = named('Blocks of a live view')
      if (blocks.length > 0) app.liveView('page', { template: 'page.html', context: () => ({}), blocks })
    }
    const [broken, repaired, ...more] = [...section.matchAll(/```html\n(.*?)```/gs)].map(([, text]) => filesOf(text))
    t.strictSame(more, [], `${category} has two examples`)
    await t.test(`${category}: broken`, async t => {
      const { issues } = await findings(t, { ...broken, routes, shared, declare })
      t.strictSame(issues.filter(issue => issue.category === category).map(({ severity }) => severity), [severity])
    })
    await t.test(`${category}: repaired`, async t => {
      const { issues } = await findings(t, { ...repaired, routes, shared, declare })
      t.strictSame(issues.filter(issue => issue.category === category), [])
    })
  }
})

// An example has one page, or begins each of its files with its name in a comment.
function filesOf (text) {
  const files = { templates: {}, source: {} }
  let name = 'page.html'
  for (const line of text.split('\n')) {
    const [, template, source] = /^\{# (\S+) #\}$|^\/\/ (\S+)$/.exec(line) ?? []
    name = template ?? source ?? name
    if (template !== undefined || source !== undefined) continue
    const group = name.endsWith('.js') ? files.source : files.templates
    group[name] = `${group[name] ?? ''}${line}\n`
  }
  return files
}

t.test('a summary is one sentence', async t => {
  for (const { category, summary } of categories) t.match(summary, /^[^.]*(?:\.{3}[^.]*)?\.$/, category)
})
