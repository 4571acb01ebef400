// A context that tells what a render has read of it.
import t from 'tap'
import { record } from '../../dist/render/recording.js'
import { setUp } from '../helpers/renderer.js'

class Cart {
  #discount = 1
  items = [{ price: 2 }, { price: 3 }]
  get count () { return this.items.length }
  get discount () { return this.#discount }
  total () { return this.items.reduce((sum, { price }) => sum + price, 0) - this.#discount }
}

async function recorded (body, context, { templates = {}, ...options } = {}) {
  const { renderer } = setUp({ ...templates, page: `{% block x %}${body}{% endblock %}` }, options)
  const recording = record(context)
  const html = await renderer.renderBlock('page', 'x', recording.context)
  t.equal(html, await renderer.renderBlock('page', 'x', context), 'recording changes nothing')
  return { html, reads: recording.reads(), unknown: recording.unknown(renderer.reads.analyse('page').blocks.get('x').reads) }
}

const CASES = {
  'values, and those that are not there': ['{{ a.b }}{{ c }}{{ a.x.y }}', { a: { b: 1, z: 2 } }, ['a', 'a.b', 'a.x', 'c']],
  lists: ['{% for t in tasks %}{{ t.title }}{% endfor %}', { tasks: [{ title: 1 }, { title: 2 }] }, ['tasks', 'tasks.length', 'tasks[]', 'tasks[].title']],
  'frozen objects': ['{{ a.b.c }}', Object.freeze({ a: Object.freeze({ b: Object.freeze({ c: 1 }) }) }), ['a', 'a.b', 'a.b.c']],
  'objects without a prototype': ['{{ a.b }}', { a: Object.assign(Object.create(null), { b: 1 }) }, ['a', 'a.b']],
  'getters show what they read': ['{{ cart.count }}', { cart: new Cart() }, ['cart', 'cart.count', 'cart.items', 'cart.items.length'], ['cart.items', 'cart.items.length']],
  'getters of private fields': ['{{ cart.discount }}', { cart: new Cart() }, ['cart', 'cart.discount']],
  'methods of classes': ['{{ cart.total() }}', { cart: new Cart() }, ['cart', 'cart.total']],
  'methods of plain objects': ['{{ cart.total() }}', { cart: { price: 2, total () { return this.price } } }, ['cart', 'cart.price', 'cart.total']],
  'JSON, keys and copies': ['{{ a | dump | safe }}{{ a | length }}{{ list | reverse | join }}', { a: { b: [1] }, list: [1, 2] },
    ['a', 'a.b', 'a.b.length', 'a.b.toJSON', 'a.b[]', 'a.toJSON', 'a[]', 'list', 'list.length', 'list[]']],
  'one object in two places': ['{{ tasks[0] === chosen }}{{ tasks.indexOf(chosen) }}{{ chosen.title }}', (() => {
    const chosen = { title: 1 }
    return { tasks: [chosen], chosen }
  })(), ['chosen', 'chosen.title', 'tasks', 'tasks.length', 'tasks[]', 'tasks[].title']],
  'dates, maps and other values': ['{{ date.getTime() }}{{ map.size }}{{ map | length }}', { date: new Date(5), map: new Map([[1, 2]]) }, ['date', 'map']],
  'what a template sets is not of the context': ['{% include "inc" %}', { a: 1, b: 2 }, ['a', 'b'], [], { inc: '{% set c = a %}{{ c }}{% include "other" %}', other: '{{ c }}{{ b }}' }],
  'globals that the context does not have': ['{{ range(2) | join }}', {}, []],
  'globals that the context has': ['{{ range.x }}', { range: { x: 1 } }, ['range', 'range.x']],
  'members of members': ['{{ (cart.items | first).price }}', { cart: { items: [{ price: 1 }] } }, ['cart', 'cart.items', 'cart.items[]', 'cart.items[].price']]
}

for (const [name, [body, context, reads, unknown = [], templates = {}]] of Object.entries(CASES)) {
  t.test(name, async t => {
    const found = await recorded(body, context, { templates })
    t.same(found.reads, reads)
    t.same(found.unknown, unknown)
  })
}

t.test('super() in a block inside is none of the context', t => {
  const { renderer } = setUp({
    page: '{% extends "base" %}{% block x %}{% block y %}{{ super() }}{{ a }}{% endblock %}{% endblock %}',
    base: '{% block x %}{{ b }}{% endblock %}'
  })
  const recording = record({ a: 1, b: 2 })
  renderer.renderBlock('page', 'x', recording.context)
  t.same(recording.reads(), ['a', 'b'])
  t.end()
})

t.test('what is read after a render has failed is none of its reads', t => {
  const page = '{% set a %}{% include "part" %}{% set b %}{{ fails() }}{% endset %}{% endset %}{% block own %}{{ b }}{% endblock %}'
  const { renderer } = setUp({ page, part: '{{ x }}' })
  const recording = record({ x: 1 })
  t.throws(() => renderer.renderBlock('page', 'own', recording.context), /fails/)
  t.same(recording.reads(), ['fails', 'x'])
  t.end()
})

t.test('an object that is in itself', t => {
  const node = { name: 'n' }
  node.self = node
  const { context, reads } = watched({ node })
  t.equal(context.node.self.self.self, context.node)
  t.same(reads(), ['node.self'])
  t.end()
})

t.test('an object in many places is known by the first of them', t => {
  const one = { name: 'n' }
  const { context, reads } = watched(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, one])))
  for (let index = 0; index < 20; index++) t.equal(context[`a${index}`].name, 'n')
  t.equal(reads().length, 8)
  t.end()
})

t.test('programs may change what is recorded', t => {
  const data = { list: [3, 1, 2], object: { a: 1, b: { c: 1 } } }
  const { context } = watched(data)
  context.list.sort()
  context.list.push(context.object)
  t.equal(data.list[3], data.object)
  delete context.object.a
  Object.defineProperty(context.object, 'd', { value: 4, enumerable: true, configurable: true, writable: true })
  t.same(data.object, { b: { c: 1 }, d: 4 })
  t.same({ ...context.object }, { b: { c: 1 }, d: 4 })
  t.ok('d' in context.object && !('x' in context.object))
  t.equal(Object.getOwnPropertyDescriptor(context.object, 'nothing'), undefined)
  t.equal(Object.getOwnPropertyDescriptor(context.list, 'length').value, 4)
  t.ok(Array.isArray(context.list))
  t.equal(context.object.constructor, Object)
  t.end()
})

t.test('classes and symbols', t => {
  const data = { cart: new Cart(), plain: { [Symbol.iterator]: function * () { yield 1 }, get x () { return 1 } } }
  const { context } = watched(data)
  t.ok(context.cart instanceof Cart)
  t.equal(context.cart.constructor, Cart)
  t.equal(context.cart.total, context.cart.total)
  t.equal(context.cart[Symbol.toStringTag], undefined)
  t.same([...context.plain], [1])
  t.equal(Object.getOwnPropertyDescriptor(context.plain, 'x').value, undefined)
  t.end()
})

t.test('what cannot be read fails where it is read', t => {
  const { renderer } = setUp({ page: '{% block x %}{{ a }}{% endblock %}{% block y %}{{ b }}{% endblock %}' })
  const { context } = record({ a: 1, get b () { throw new RangeError('no b') } })
  t.equal(renderer.renderBlock('page', 'x', context), '1')
  t.throws(() => renderer.renderBlock('page', 'y', context), /no b/)
  t.end()
})

function watched (data) {
  const recording = record(data)
  return { context: recording.context, reads: () => recording.reads() }
}
