// What the rules about filters, views, swaps, ids and misspelt names find, and what they must not be fooled by.
import nunjucks from 'nunjucks'
import t from 'tap'
import { buildApp } from '../helpers/app.js'
import { rule } from '../helpers/contracts.js'

/** A template literal of the source with an expression in it. */
const put = text => text.replaceAll('<', '$' + '{').replaceAll('>', '}')

const page = body => `<!doctype html>\n<html><body>\n${body}\n</body></html>\n`
const HTMX2 = '<script src="https://unpkg.com/htmx.org@2.0.11/dist/htmx.min.js"></script>'
const HTMX4 = '<script src="/vendor/htmx-4.0.1.min.js"></script>'
const IMPORT = "import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'\n"

rule('unknown-filter', {
  'filters anywhere': {
    templates: '{{ a | ¦nope }}{% if b | ¦nah(1) | upper %}{% endif %}{% filter ¦nah %}x{% endfilter %}{% set c = [d | ¦zzz] %}{{ (e | safe) | default(f | ¦y) }}<p class="{{ g | ¦x }}"></p>',
    says: ['nope', 'nah', 'zzz', 'y', 'x'].map(name => `There is no filter "${name}" in the environment of this template. Correct the name, or add it with addFilter()`)
  },
  'those of Nunjucks, and names of objects': { templates: '{{ a | upper | d("x") | e }}' },
  'those of the app, and what a custom tag makes': { templates: '{% wrap %}{{ b | ¦nope }}{% endwrap %}', tags: ['wrap'] }
})

rule('unknown-test', {
  'tests anywhere': {
    templates: '{% if a is ¦evn %}{% elif b is not ¦od %}{% endif %}{{ c is ¦dividable(3) }}',
    says: ['evn', 'od', 'dividable'].map(name => `There is no test "${name}" in the environment of this template. Correct the name, or add it with addTest()`)
  },
  'those of Nunjucks': { templates: '{% if a is defined and b is not none and c is divisibleby(3) and d is sameas(e) and f is null %}{% endif %}' }
})

rule('deferred-truth', {
  'conditions of any kind, in templates that are extended too': {
    templates: {
      'base.html': '{% if ¦a %}{% endif %}{% block x %}{% endblock %}',
      'page.html': '{% extends "base.html" %}{% block x %}{% if not ¦a and (1, ¦b) %}{% endif %}{{ 1 if ¦b else 2 }}{% if ¦a or c %}{% endif %}{% endblock %}',
      'other.html': '{% if a %}{% endif %}'
    },
    source: `${IMPORT}import * as all from 'fastify-chirp'\nimport { defer as later } from 'fastify-chirp'\nreply.page('page.html', { a: later(x), ['c']: later(y), b: all.defer(z), d: 1, ...e })\nreply.page('page.html', async () => ({ a: later(x) }))\nreply.page('other.html', { a: defer(x) })\nreply.page('gone.html', { a: later() })`,
    says: ['a', 'b'].map(name => `"${name}" is a deferred value, and counts as true while it is pending. Ask for its state first: {% if ${name} is pending %}...{% elif ${name} %}`)
  },
  'who asks for the state first, and names that mean something else': {
    templates: '{% if a is pending %}{% elif a %}{% endif %}{% if a is settled and a %}{% endif %}{% for b in c %}{% if b %}{% endif %}{% endfor %}{% for c, d in e %}{% if d %}{% endif %}{% endfor %}{% set f = 1 %}{% if f %}{% endif %}{% macro m(g) %}{% if g %}{% endif %}{% endmacro %}{% if a.b %}{% endif %}',
    source: "import { defer } from 'fastify-chirp'\nreply.page('page.html', { a: defer(x), b: defer(x), d: defer(x), f: defer(x), g: defer(x) })"
  }
})

rule('view', {
  'a view that does not exist': {
    templates: { 'page.njk': '', 'news/item.njk': '', 'broken.njk': '{% if %}' },
    shared: true,
    source: "reply.view('page.njk'); reply.view('page'); reply.view('news/item'); reply.view('broken.njk'); reply.code(200).view(¦'pgae.njk', {}); reply.view(¦'nope'); reply.view('old.ejs'); reply.view(name); reply.view()",
    says: ['There is no template "pgae.njk" in the environment that reply.view() shares. Did you mean "page.njk"? Correct the name, or add the template',
      'There is no template "nope" in the environment that reply.view() shares. Correct the name, or add the template']
  },
  'a view that is not listed, and one that only a loader knows': { templates: { 'page.html': '', 'data.html.txt': '' }, shared: true, source: "reply.view('data.html.txt')" },
  'folders of the plugin are not shared': { templates: { 'page.njk': '' }, source: "reply.view('nope.njk')" },
  'an app without reply.view()': { templates: { 'page.njk': '' }, tags: [], source: "reply.view('nope.njk')" }
})

rule('fragments-unheard', {
  'Fragments on a page with htmx 2': {
    templates: page(`${HTMX2}<div hx-ext="sse" sse-connect="/live"><p id="a"></p></div>`),
    routes: ['GET /live stream'],
    source: `${IMPORT}¦new Fragments([a])\nconst b = ¦new Fragments(list)\nnew Fragments()\n`,
    says: 'On htmx 2 Fragments arrive only where an element waits for "message", and no template has one. Add an element with sse-swap="message" and hx-swap="none" to the connection'
  },
  'an element that waits for message, or for what is not known': {
    templates: page(`${HTMX2}<div hx-ext="sse" sse-connect="/live"><p sse-swap="a,message"></p></div>`), routes: ['GET /live stream'], source: `${IMPORT}new Fragments([a])`
  },
  'a name that an expression makes': {
    templates: page(`${HTMX2}<div hx-ext="sse" sse-connect="/live"><p sse-swap="{{ x }}"></p></div>`), routes: ['GET /live stream'], source: `${IMPORT}new Fragments([a])`
  },
  'htmx 4, either, and none': {
    templates: { 'a.html': page(`${HTMX2}<div hx-ext="sse" sse-connect="/live"></div>`), 'b.html': page(`${HTMX4}<div hx-sse:connect="/live"></div>`) },
    routes: ['GET /live stream'],
    source: `${IMPORT}new Fragments([a])`
  },
  'a page that may be either': { templates: page('<div sse-connect="/live"></div>'), routes: ['GET /live stream'], source: `${IMPORT}new Fragments([a])` },
  'a page that does not connect': { templates: page(HTMX2), source: `${IMPORT}new Fragments([a])` }
})

rule('event-id', {
  'ids with other characters': {
    source: `${IMPORT}new Fragment('page.html', 'a', {}, { id: ¦'ä' })\nnew SSEEvent({ id: ¦\`straße-\${id}\` })\nnew Fragments([a], { id: ¦'日' })\n`,
    says: ['ä', 'ß', '日'].map(character => `The id has "${character}" in it, and several clients, htmx 4 among them, fail when they send it back. Use ASCII, or encodeURIComponent()`)
  },
  'other ids': { source: `${IMPORT}new SSEEvent({ id: 'a-1' }); new SSEEvent({ id }); new SSEEvent({ id: 5 }); new SSEEvent({ data: 'ä' }); new Fragments([a], { retry: 1 }); new Fragment('page.html', 'a', {}, { target: 'ä' }); new Fragments([a])\n` }
})

rule('refresh', {
  'without an id, and without a connection': {
    templates: '<div sse-connect="/a" ¦chirp-refresh></div><div id="b" ¦chirp-refresh="/b"></div><div id="c" sse-connect="/a" chirp-refresh></div><div id="d" {{ sse_connect("/a") }} chirp-refresh></div>' +
      '<div {{ attributes }} chirp-refresh></div><div sse-connect="/a"></div>',
    routes: ['GET /a stream'],
    says: ['chirp-refresh finds the element in the new page by its id, and this one has none. Give it an id', 'chirp-refresh is for the element that connects to the stream, and this one does not. Move it there']
  }
})

rule('swap-value', {
  'words that htmx does not know': {
    templates: '<p ¦hx-swap="innerhtml"></p><p ¦hx-swap="beforend settle:0ms"></p><p ¦hx-swap="innerHTML trasition:true"></p><p ¦data-hx-swap="setle:1s"></p><p ¦hx-swap:inherited="outerHMTL"></p><p id="a" ¦hx-swap-oob="outerHTNL"></p><p ¦hx-swap-oob="beforened:#a"></p>',
    source: `${IMPORT}new Fragment('page.html', 'a', {}, { swap: ¦'apend' })\n`,
    says: [
      ['apend', 'the swap of this fragment', 'append'], ['innerhtml', 'hx-swap', 'innerHTML'], ['beforend', 'hx-swap', 'beforeend'], ['trasition', 'hx-swap', 'transition'], ['setle', 'data-hx-swap', 'settle'],
      ['outerHMTL', 'hx-swap:inherited', 'outerHTML'], ['outerHTNL', 'hx-swap-oob', 'outerHTML'], ['beforened', 'hx-swap-oob', 'beforeend']
    ].map(([word, where, meant]) => `htmx does not know "${word}" in ${where}. Did you mean "${meant}"? Correct the value`)
  },
  'what htmx knows, in either generation, and what an extension may': {
    templates: '<p hx-swap="innerHTML"></p><p hx-swap="outerMorph swap:1s settle:2s scroll:#a:top show:none focus-scroll:true ignoreTitle:true"></p><p hx-swap=""></p><p hx-swap></p><p hx-swap="{{ x }}"></p>' +
      '<p hx-swap="none"></p><p hx-swap="prepend"></p><p hx-swap="settle:1s"></p><p hx-swap="multi:#a:outerHTML,#b"></p><p hx-swap="morph:innerHTML"></p><p hx-swap="view-transition"></p>' +
      '<p id="a"></p><p id="a" hx-swap-oob="true"></p><p id="a" hx-swap-oob="false"></p><p id="a" hx-swap-oob></p><p hx-swap-oob="beforeend:#a"></p><p hx-swap="innerHTML x"></p>'
  }
})

const fragment = (target, swap) => `new Fragment('page.html', 'a', {}, { target: '${target}', swap: '${swap}' })\n`

rule('swap-mismatch', {
  'an element with another swap': {
    templates: page('<div hx-ext="sse" sse-connect="/live"><p sse-swap="a"></p><p sse-swap="b" hx-swap="afterbegin settle:0ms"></p><section hx-swap="outerHTML"><p sse-swap="c, d"></p><p sse-swap="d" hx-swap="textContent"></p></section></div>'),
    routes: ['GET /live stream'],
    source: IMPORT + ['a', 'b', 'c', 'd'].map(name => fragment(name, 'beforeend').replace("'beforeend'", "¦'beforeend'")).join('') + fragment('a', 'innerHTML') + fragment('b', 'prepend') + fragment('c', 'outerHTML') + fragment('d', 'textContent') + fragment('e', 'none'),
    says: [['a', 'innerHTML'], ['b', 'afterbegin'], ['c', 'outerHTML'], ['d', 'outerHTML" or "textContent']]
      .map(([name, style]) => `This fragment has the swap "beforeend", and the element with sse-swap="${name}" has hx-swap="${style}", which htmx 2 uses. Give both the same`)
  },
  'what is not sure': {
    templates: {
      'a.html': page('<div hx-ext="sse" sse-connect="/live"><p sse-swap="a" {{ x }}></p><p sse-swap="b" {% if x %}hx-swap="none"{% endif %}></p><p sse-swap="c" hx-swap="{{ x }}"></p><p sse-swap="d" hx-swap="{{ "none" if x else "delete" }}"></p>' +
        '<div hx-disinherit="*"><p sse-swap="e"></p></div><p {{ sse_swap("g") }}></p></div>'),
      'part.html': '<p sse-swap="f"></p>'
    },
    routes: ['GET /live stream'],
    source: IMPORT + ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => fragment(name, 'beforeend')).join('')
  },
  'what is printed for htmx 2': {
    templates: page(`${HTMX2}<div {{ sse_connect("/live") }}><p {{ sse_swap("a") }}></p></div>`), routes: ['GET /live stream'], source: IMPORT + fragment('a', 'none').replace("'none'", "¦'none'")
  },
  'a value without a style, and one that only an extension knows': {
    templates: page('<div hx-ext="sse" sse-connect="/live"><p sse-swap="a" hx-swap="settle:0ms"></p><p sse-swap="b" hx-swap=""></p><p sse-swap="c" hx-swap="fade"></p></div>'),
    routes: ['GET /live stream'],
    source: IMPORT + fragment('a', 'innerHTML') + fragment('b', 'innerHTML') + fragment('c', 'fade') + fragment('c', 'innerHTML').replace("'innerHTML'", "¦'innerHTML'"),
    says: 'This fragment has the swap "innerHTML", and the element with sse-swap="c" has hx-swap="fade", which htmx 2 uses. Give both the same'
  },
  'on htmx 4 the fragment decides': {
    templates: page(`${HTMX4}<div sse-connect="/live"><p sse-swap="a"></p></div>`), routes: ['GET /live stream'], source: IMPORT + fragment('a', 'none')
  },
  'another default': {
    templates: page('<meta name="htmx-config" content=\'{"defaultSwapStyle":"outerHTML"}\'><div hx-ext="sse" sse-connect="/live"><p sse-swap="a"></p></div>'), routes: ['GET /live stream'], source: IMPORT + fragment('a', 'outerHTML')
  },
  'a condition that chooses between elements': {
    templates: page('<div hx-ext="sse" sse-connect="/live">{% if x %}<div hx-swap="none">{% else %}<div>{% endif %}<p sse-swap="a"></p></div></div>'), routes: ['GET /live stream'], source: IMPORT + fragment('a', 'beforeend')
  }
})

rule('misspelt-attribute', {
  'names that are nearly right': {
    templates: '<p ¦hx-targte="this"></p><p ¦data-hx-triger="x"></p><p ¦hx-gte="/"></p><p ¦sse-swp="a"></p><p ¦chirp-refesh></p><p ¦hx-target:inherted="this"></p><p ¦hx-sse:conect="/"></p>',
    says: [['hx-targte', 'hx-target'], ['data-hx-triger', 'hx-trigger'], ['hx-gte', 'hx-get'], ['sse-swp', 'sse-swap'], ['chirp-refesh', 'chirp-refresh'], ['hx-target:inherted', 'hx-target:inherited'], ['hx-sse:conect', 'hx-sse:connect']]
      .map(([written, meant]) => `There is no attribute ${written}. Did you mean "${meant}"? Correct the name`)
  },
  'names that are right, or something else': {
    templates: '<p hx-get="/" hx-on:click="x" hx-on--load="x" hx-status:404="x" hx-target-404="this" hx-target-error="this" hx-swap:inherited="none" hx-vals:append="x" hx-label="x" hx-my-own="x" data-hx-boost="true" class="hx-gte" sse-connect="/" ws-send></p>',
    routes: ['GET / stream']
  }
})

rule('missing-target', {
  'targets that are put together': {
    templates: '<div sse-connect="/live"><p id="d-{{ id }}"></p><p sse-swap="e-{{ id }}"></p><p id="f-1"></p><p sse-swap="news-today"></p><script>listen("g-" + id)</script></div>',
    routes: ['GET /live stream'],
    source: IMPORT + ['d-<id>', 'e-<id>', '#d-<id>', 'f-<n>', '<x>', '<x>-1', 'closest <x>', 'news-<day>', 'g-<id>', 'd-1', 'e-1'].map(target => `new Fragment('page.html', 'a', {}, { target: \`${put(target)}\` })\n`).join('') +
      put("new Fragment('page.html', 'a', {}, { target: ¦`c-<id>` })\nnew Fragment('page.html', 'a', {}, { target: ¦`#q<id>z` })\nnew Fragment('page.html', 'a', {}, { target: ¦'c-1' })\n"),
    says: [
      'Nothing takes a fragment for "c-{{ }}": no sse-swap="c-{{ }}" and no element with that id. Correct the name on either side',
      'Nothing takes a fragment for "#q{{ }}z": no sse-swap="#q{{ }}z" and no element with that id. Correct the name on either side',
      'Nothing takes a fragment for "c-1": no sse-swap="c-1" and no element with that id. Did you mean "f-1"? Correct the name on either side'
    ]
  }
})

t.test('a filter that a custom tag makes has the place of its template', async t => {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(t.testdir({ 'page.html': '\n{% shout %}' })), { autoescape: true })
  env.addExtension('shout', {
    tags: ['shout'],
    parse (parser, nodes) {
      parser.advanceAfterBlockEnd(parser.nextToken().value)
      const name = new nodes.Symbol(undefined, undefined, 'nope')
      return new nodes.Output(0, 0, [new nodes.Filter(undefined, undefined, name, new nodes.NodeList(0, 0, [new nodes.Literal(0, 0, 'x')]))])
    }
  })
  const app = await buildApp(t, { templates: env })
  const { issues } = await app.checkContracts({ sources: [] })
  t.match(issues.filter(({ category }) => category === 'unknown-filter'), [{ template: 'page.html', line: 1, column: 1 }])
})
