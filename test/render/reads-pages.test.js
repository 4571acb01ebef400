// What is known of a template beside the paths: places, who reads what in a
// whole page, and when it is found again.
import nunjucks from 'nunjucks'
import t from 'tap'
import { pathsOf, touches } from '../../dist/render/reads.js'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'
import { asyncLoader, memoryLoader, setUp, ShoutTag, WaitTag } from '../helpers/renderer.js'

// With a body that is not there, and nodes of its own that have no place.
class MadeUpTag {
  tags = ['madeup']

  parse (parser, nodes) {
    const token = parser.nextToken()
    parser.advanceAfterBlockEnd(token.value)
    const body = new nodes.Output(undefined, undefined, [new nodes.LookupVal(undefined, undefined, new nodes.Symbol(undefined, undefined, 'a'), new nodes.Literal(undefined, undefined, 'b'))])
    return new nodes.CallExtension(this, 'run', null, [body, undefined])
  }

  run (context, body, other) {
    return `${body()}${other}`
  }
}

const pathsIn = (found, block = 'x') => pathsOf(found.blocks.get(block).reads).join(' ')

t.test('each read has its place', t => {
  const { renderer } = setUp({ page: '{% block x %}\n  {{ a.b["c d"] | upper }}{% include "row" %}{% for t in list %}{% endfor %}{% endblock %}', row: '{{ t.title(1) }}' })
  const places = renderer.reads.analyse('page').blocks.get('x').reads.map(({ path, isShallow, isGlobal, place }) => [path, isShallow, isGlobal, Object.values(place).join(' ')])
  t.same(places, [
    ['a.b[]', false, false, 'page 2 6 a.b["c d"]'],
    ['t.title', false, false, 'row 1 4 t.title'],
    ['t', false, false, 'row 1 4 t.title'],
    ['list[]', true, false, 'page 2 58 list']
  ])
  t.end()
})

t.test('a read that asks only for presence does not mind what is inside', t => {
  const { renderer } = setUp({ page: '{% block x %}{% if ticket %}{% endif %}{% for t in tasks %}{% endfor %}{% endblock %}' })
  const { reads } = renderer.reads.analyse('page').blocks.get('x')
  const isDirty = change => reads.some(read => touches(change, read))
  t.same([['ticket'], ['ticket', 'title'], ['tasks'], ['tasks', '[]'], ['tasks', 'one'], ['tasks', '[]', 'title'], []].map(isDirty), [true, false, true, true, true, false, true])
  t.end()
})

t.test('globals are told apart, because the context may shadow them', t => {
  const { renderer } = setUp({ page: '{% block x %}{{ range(n) }}{% endblock %}' })
  const { reads } = renderer.reads.analyse('page').blocks.get('x')
  t.same([pathsOf(reads), pathsOf(reads, true)], [['n'], ['n', 'range']])
  t.end()
})

t.test('what is evaluated on the way and not used', t => {
  const { renderer } = setUp({ page: '{% set y = a.b %}{% block x %}{{ c }}{% set z = d %}{% endblock %}' })
  const { reads, evaluated } = renderer.reads.analyse('page').blocks.get('x')
  t.same([pathsOf(reads), pathsOf(evaluated)], [['c'], ['a', 'a.b', 'c', 'd']])
  t.end()
})

t.test('the readers of a variable in a page', t => {
  const { renderer } = setUp({
    page: '{% extends "base" %}{% set total = stats.total %}{% block inner %}{{ stats.a }}{% endblock %}',
    base: '{% if user %}{% endif %}{% block outer %}{{ feed }}{% block inner %}{% endblock %}{% include "inc" %}{% endblock %}{% block foot %}{{ total }}{% endblock %}',
    inc: '{% block own %}{{ own }}{% endblock %}'
  })
  const found = renderer.reads.analyse('page')
  const readers = name => {
    const { blocks, outside } = found.readersOf(name)
    return [blocks.join(' '), pathsOf(outside).join(' ')]
  }
  t.same(['stats', 'feed', 'user', 'own', 'nothing'].map(readers), [['inner foot', ''], ['outer', ''], ['', 'user'], ['outer', ''], ['', '']])
  t.same(readers('stats.b'), ['', ''])
  t.equal(readers('no path')[0], 'inner outer foot', 'what is no path is everything')
  t.same([...found.blocks].map(([name, { within }]) => [name, within.join(' ')]), [['outer', ''], ['inner', 'outer'], ['foot', '']])
  t.end()
})

t.test('a block that is placed twice', t => {
  const { renderer } = setUp({
    page: '{% extends "base" %}{% block a %}{{ p }}{% block b %}{{ q }}{% endblock %}{% endblock %}',
    base: '{% block a %}{% endblock %}{% block b %}{% endblock %}'
  })
  const found = renderer.reads.analyse('page')
  t.same([pathsIn(found, 'a'), pathsIn(found, 'b'), found.readersOf('q').blocks], ['p q', 'q', ['b']])
  t.end()
})

t.test('the swaps that a page places', t => {
  const { renderer } = setUp({
    page: '{% extends "base" %}{% block list %}<ul {{ sse_swap("items") }}>{% block items %}{% endblock %}</ul>{{ sse_swap(name) }}{% include "inc" %}{% endblock %}',
    base: '<p {{ sse_swap("list") }}>{% block list %}{% endblock %}',
    inc: '{% macro m() %}{{ sse_swap("news") }}{% endmacro %}{{ m() }}{{ m() }}'
  })
  t.same(renderer.reads.analyse('page').swaps.map(({ name, place }) => [name, place.template, place.line]), [['list', 'base', 1], ['items', 'page', 1], ['news', 'inc', 1]], 'in the order of the document')
  t.end()
})

t.test('it is found once, and again when a template is another one', t => {
  const templates = { page: '{% block x %}{{ a }}{% include "row" %}{% endblock %}' }
  const { renderer } = setUp(templates, { loader: memoryLoader(templates, { getSource: name => name in templates ? { src: templates[name], path: name, noCache: true } : null }) })
  const first = renderer.reads.analyse('page')
  t.equal(pathsIn(first), 'a')
  t.equal(renderer.reads.analyse('page'), first)
  templates.row = '{{ b }}'
  t.equal(pathsIn(renderer.reads.analyse('page')), 'a b', 'an included one')
  templates.page = '{% block x %}{{ c }}{% endblock %}'
  t.equal(pathsIn(renderer.reads.analyse('page')), 'c', 'the template itself')
  t.end()
})

t.test('loaders that answer later', async t => {
  const templates = { page: '{% extends "base" %}{% block x %}{% include "one" %}{% include "two" %}{% include "none" ignore missing %}{% endblock %}', base: '{% block x %}{% endblock %}', one: '{{ a }}', two: '{{ b }}' }
  const { renderer } = setUp(templates, { loader: asyncLoader(templates) })
  const pending = renderer.reads.analyse('page')
  t.type(pending, Promise)
  t.equal(pathsIn(await pending), 'a b')
  t.equal(pathsIn(await renderer.reads.analyse('page')), 'a b')
})

t.test('precompiled templates read everything', t => {
  const blocks = Object.assign(Object.create(null), {
    root (env, context, frame, runtime, callback) { callback(null, '') },
    b_x (env, context, frame, runtime, callback) { callback(null, '') }
  })
  const loader = memoryLoader({ page: '{% extends "old" %}{% block y %}{{ a }}{% endblock %}', user: '{% import "old" as old %}{% block x %}{{ old.m(b) }}{% endblock %}', inc: '{% block x %}{% include "old" %}{% endblock %}' })
  const { getSource } = loader
  loader.getSource = name => name === 'old' ? { src: { type: 'code', obj: blocks }, path: 'old', noCache: false } : getSource(name)
  const { renderer } = setUp({}, { loader })
  t.equal(pathsIn(renderer.reads.analyse('old')), '*')
  t.same(renderer.reads.analyse('old').readersOf('a').outside.map(({ path }) => path), ['*'])
  const page = renderer.reads.analyse('page')
  t.same([pathsIn(page, 'x'), pathsIn(page, 'y')], ['*', '* a'])
  t.equal(pathsIn(renderer.reads.analyse('user')), '* b')
  t.equal(pathsIn(renderer.reads.analyse('inc')), '*')
  t.end()
})

t.test('what is too much to follow reads everything', t => {
  const macros = Array.from({ length: 20 }, (_, index) => `{% macro m${index}() %}${`{{ m${index + 1}() }}`.repeat(4)}{% endmacro %}`).join('')
  const { renderer } = setUp({ page: `${macros}{% block x %}{{ m0() }}{% endblock %}` })
  const found = renderer.reads.analyse('page')
  t.equal(pathsIn(found), '*')
  t.same([found.readersOf('q').blocks, found.readersOf('q').outside.length, found.swaps], [['x'], 1, []])
  t.end()
})

t.test('what is deeper than the stack reads everything', t => {
  const macros = Array.from({ length: 3000 }, (_, index) => `{% macro m${index}() %}{{ m${index + 1}() }}{% endmacro %}`).join('')
  const { renderer } = setUp({ page: `${macros}{% block x %}{{ m0() }}{% endblock %}` })
  t.equal(pathsIn(renderer.reads.analyse('page')), '*')
  t.end()
})

t.test('custom tags that answer later, and their arguments', t => {
  const { renderer } = setUp({ page: '{% block x %}{% wait a.b %}{% endblock %}' }, { configure: env => env.addExtension('WaitTag', new WaitTag()) })
  t.equal(pathsIn(renderer.reads.analyse('page')), '* a.b')
  t.end()
})

t.test('custom tags that make up their nodes', t => {
  const { renderer } = setUp({ page: '{% block x %}{% madeup %}{% endblock %}' }, { configure: env => env.addExtension('MadeUpTag', new MadeUpTag()) })
  const found = renderer.reads.analyse('page')
  t.equal(pathsIn(found), '* a.b')
  const { place } = found.blocks.get('x').reads.find(({ path }) => path === 'a.b')
  t.same(place, { template: 'page', line: undefined, column: undefined, expression: 'a.b' })
  t.equal(renderer.renderBlock('page', 'x', { a: { b: 1 } }), '1null', 'Nunjucks renders them')
  t.end()
})

t.test('slices, as Jinja has them', t => {
  t.teardown(nunjucks.installJinjaCompat())
  const { renderer } = setUp({ page: '{% block x %}{{ list[1:n].length }}{% endblock %}' })
  t.equal(pathsIn(renderer.reads.analyse('page')), '* list[].length')
  t.equal(renderer.renderBlock('page', 'x', { list: [1, 2, 3], n: 3 }), '2')
  t.end()
})

t.test('included templates that cannot be loaded', async t => {
  const templates = { page: '{% block x %}{{ a }}{% include "broken" %}{% include "failing" %}{% endblock %}', broken: '{% if %}' }
  const { getSource } = memoryLoader(templates)
  const loader = memoryLoader(templates, {
    getSource (name) {
      if (name === 'failing') throw new TypeError('no disk')
      return getSource(name)
    }
  })
  t.equal(pathsIn(setUp(templates, { loader }).renderer.reads.analyse('page')), 'a')
  t.equal(pathsIn(await setUp(templates, { loader: asyncLoader(templates) }).renderer.reads.analyse('page')), 'a')
})

t.test('filters and tests that are not the ones of Nunjucks', t => {
  const { renderer } = setUp({ page: '{% block x %}{{ a | length }}{% if b is defined %}{% endif %}{{ c | nothing }}{{ d is nothing }}{% endblock %}' }, {
    configure (env) {
      env.addFilter('length', value => value)
      env.addTest('defined', () => true)
    }
  })
  const { reads } = renderer.reads.analyse('page').blocks.get('x')
  t.same(reads.map(({ path, isShallow }) => [path, isShallow]), [['a', false], ['b', false], ['c', false], ['d', false]])
  t.end()
})

t.test('errors are those of the renderer', async t => {
  const { renderer } = setUp({ broken: '{% block %}' })
  await t.rejects(async () => renderer.reads.analyse('missing'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND' })
  await t.rejects(async () => renderer.reads.analyse('broken'), { code: 'FST_CHIRP_RENDER' })
  await t.rejects(async () => renderer.reads.analyse('../x'), { code: 'FST_CHIRP_TEMPLATE_NAME' })
  t.equal(createRenderer({ templates: undefined, debug: false }).reads, undefined)
})

t.test('an async filter beside a block, in the content of a call', async t => {
  const { env, renderer } = setUp({
    page: '{% macro m() %}{{ caller() }}{% endmacro %}{% block x %}{% call m() %}{{ b | late }}{% block y %}{{ c }}{% endblock %}{% endcall %}{% endblock %}'
  })
  env.addFilter('late', (value, callback) => callback(null, value), true)
  const found = await renderer.reads.analyse('page')
  t.same([pathsIn(found), pathsIn(found, 'y')], ['b c', 'c'])
})

t.test('Nunjucks overlooks blocks in the content of custom tags', t => {
  const { env, renderer } = setUp({ page: '{% block x %}{{ a }}{% endblock %}{% shout %}{% block y %}{{ b }}{% endblock %}{% endshout %}' })
  env.addExtension('shout', new ShoutTag())
  t.same([...renderer.reads.analyse('page').blocks.keys()], ['x'])
  t.end()
})
