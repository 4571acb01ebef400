// Makes templates and contexts of a list of numbers, so that fast-check can
// shrink them: each number is a choice, and 0 is the simplest.

const NAMES = ['a', 'b', 'c', 'xs', 'ys', 'o']
const FIELDS = ['p', 'q', 'r', 'kids']
const MACROS = ['m1', 'm2']
const BLOCKS = ['one', 'two', 'three']

// A loop over a list that grows in it would not end.
const MOST_ITEMS = 12

// How often templates may still call themselves in this render.
let fuel = 0

/** Filters and functions that do what analyses cannot see. */
export function configure (env) {
  env.addFilter('same', value => value)
  env.addFilter('pick', (value, key) => Object(value)[key])
  env.addFilter('put', (list, value) => {
    if (Array.isArray(list) && list.length < MOST_ITEMS) list.push(value)
    return list
  })
  env.addFilter('now', (value, callback) => { callback(null, value) }, true)
  env.addGlobal('both', (first, second) => [first, second])
  env.addGlobal('run', (target, ...values) => typeof target === 'function' ? target(...values) : target)
  env.addGlobal('again', () => fuel-- > 0)
  env.addGlobal('site', { p: 'global', q: { r: 'site' } })
  env.addGlobal('b', 'global b')
}

export class Maker {
  #choices
  #at = 0
  #unique = 0

  constructor (choices) {
    this.#choices = choices
  }

  choose (count) {
    return (this.#choices[this.#at++] ?? 0) % count
  }

  pick (list) {
    return list[this.choose(list.length)]
  }

  /** All templates by their names; `page` is the one to be rendered. */
  templates () {
    const parent = this.pick(['base', '', 'middle', 'choice'])
    const extend = parent === 'choice' ? '{% extends "base" if a else "frame" %}' : parent === '' ? '' : `{% extends "${parent}" %}`
    const templates = {
      page: extend + this.statements(6, { ...here, include: 2, blocks: [...BLOCKS, 'own'], super: parent !== '' }),
      base: this.statements(5, { ...here, include: 2, blocks: [...BLOCKS] }),
      lib1: this.library(0),
      inc1: this.statements(3, { ...here, include: 0, inside: 'include' }),
      middle: `{% extends "base" %}${this.statements(4, { ...here, include: 2, blocks: [...BLOCKS], super: true })}`,
      lib2: this.library(1),
      inc2: `${this.choose(4) === 1 ? '{% extends "frame" %}' : ''}${this.statements(3, { ...here, include: 1, inside: 'include', blocks: ['own'] })}`,
      frame: `[{% block own %}${this.output(2, here)}{% endblock %}${this.output(2, here)}]`
    }
    return templates
  }

  library (index) {
    const own = { ...here, include: index, inside: 'library' }
    return `${this.choose(3) === 1 ? this.set(own) : ''}${this.macro('m1', own)}${this.macro('m2', own)}${this.choose(3) === 1 ? this.set(own) : ''}`
  }

  macro (name, where) {
    const parameters = this.pick(['', 'a', 'a, b', 'a, b=1', 'x', 'x, y=c', 'xs, a=o.p', 'a, x=a', 'z={p: 1}'])
    return `{% macro ${name}(${parameters}) %}${this.statements(2, { ...where, blocks: [], caller: true, macro: name, depth: where.depth + 1 })}{% endmacro %}`
  }

  statements (most, where) {
    let text = ''
    for (let count = this.choose(most) + 1; count > 0; count--) text += this.statement(where)
    return text
  }

  statement (where) {
    const inner = { ...where, depth: where.depth + 1 }
    if (where.depth > 3) return this.output(2, where)
    if (where.depth === 0 && where.blocks.length > 0 && this.choose(3) === 0) return this.block(where, inner)
    switch (this.choose(24)) {
      case 3:
      case 4:
        return this.set(where)
      case 5:
        return `{% set ${this.variable()} %}${this.statements(2, { ...inner, blocks: [] })}{% endset %}`
      case 6:
        return `{% if ${this.expression(2, where)} %}${this.statements(2, inner)}{% endif %}`
      case 7:
        return `{% if ${this.expression(2, where)} %}${this.statements(2, inner)}{% elif ${this.expression(1, where)} %}${this.statements(2, inner)}{% else %}${this.statements(2, inner)}{% endif %}`
      case 8:
      case 9:
        return this.loop(['x', 'a', 'o'], where, inner)
      case 10:
        return this.loop(['k, x', 'a, b', 'x, y, a'], where, inner)
      case 11:
        return `{% switch ${this.expression(1, where)} %}{% case ${this.expression(1, where)} %}${this.statements(1, { ...inner, blocks: [] })}{% default %}${this.statements(1, { ...inner, blocks: [] })}{% endswitch %}`
      case 12:
        return where.include === 0 ? this.output(2, where) : `{% include ${this.included(where)} %}`
      case 13:
        return this.import(where)
      case 14:
        return this.macro(this.pick(MACROS), where)
      case 15:
        return this.call(where, inner)
      case 16:
        return `{% filter ${this.pick(['upper', 'same', 'trim'])} %}${this.statements(2, inner)}{% endfilter %}`
      case 17:
      case 18:
      case 19:
        return this.block(where, inner)
      case 20:
        return this.recursion(where)
      case 21:
        return `{% if ${this.expression(1, where)} %}${this.set(where)}${this.choose(2) === 1 ? `{% else %}${this.set(where)}` : ''}{% endif %}`
      case 22:
        return this.statement(inner).replace('{%', '{%-').replace(/%\}([^%]*)$/, '-%}$1')
      case 23:
        return `{% set w = ${this.changing(where)} %}`
      default:
        return this.output(3, where)
    }
  }

  block (where, inner) {
    if (where.blocks.length === 0) return this.output(2, where)
    const [name] = where.blocks.splice(this.choose(where.blocks.length), 1)
    return `{% block ${name} %}${where.super && this.choose(2) === 1 ? '{{ super() }}' : ''}${this.statements(3, inner)}{% endblock %}`
  }

  loop (names, where, inner) {
    const [start, end] = this.pick([...Array.from({ length: 6 }, () => ['for', 'endfor']), ['asyncEach', 'endeach'], ['asyncAll', 'endall']])
    const other = this.choose(3) === 1 ? `{% else %}${this.choose(2) === 1 ? this.statements(1, inner) : this.output(1, where)}` : ''
    return `{% ${start} ${this.pick(names)} in ${this.listed(where)} %}${this.statements(2, { ...inner, loop: true })}${other}{% ${end} %}`
  }

  call (where, inner) {
    const target = this.target()
    const text = `{% call${this.pick(['', '(x)', '(a)', '(a, x=b)'])} ${target}(${this.given(where)}) %}${this.statements(2, { ...inner, caller: false })}{% endcall %}`
    return this.choose(3) === 1 ? text : `{% if ${target} %}${text}{% endif %}`
  }

  /** What runs a few times more, with other variables. */
  recursion (where) {
    const own = where.inside === 'include' ? `{% include "${where.include === 0 ? 'inc1' : 'inc2'}" %}` : where.macro && `{{ ${where.macro}(${this.given(where)}) }}`
    if (!own) return this.output(2, where)
    const text = this.choose(2) === 1 ? `{% for ${this.pick(['x', 'a', 'o'])} in ${this.path(where)} %}${this.choose(2) === 1 ? this.set(where) : ''}${own}{% endfor %}` : own
    return `{% if again() %}${text}{% endif %}`
  }

  /** Calls that change one of their values. */
  changing (where) {
    const list = this.pick(['xs', 'ys', 'z', 'o.kids'])
    const change = this.pick([`(${list}.push(${this.expression(1, where)}) if ${list}.length < ${MOST_ITEMS})`, `${list}.pop()`, `(${list} | put(${this.expression(1, where)}))`])
    return this.pick([change, `(${change} if ${this.path(where)})`, `(${this.path(where)} and ${change})`])
  }

  included (where) {
    const name = where.include === 1 ? 'inc1' : this.pick(['inc1', 'inc2'])
    return this.pick([`"${name}"`, `"${name}"`, `"${name}" if ${this.expression(1, where)} else "inc1"`, '"missing" ignore missing', '"in" ~ "c1"'])
  }

  import (where) {
    const lib = where.inside === 'library' ? (where.include === 0 ? undefined : 'lib1') : this.pick(['lib1', 'lib2'])
    if (lib === undefined) return this.output(1, where)
    const context = this.pick(['', ' with context', ' without context'])
    return this.pick([`{% import "${lib}" as ns${context} %}`, `{% from "${lib}" import m1${context} %}`, `{% from "${lib}" import m1 as m2${context} %}`, `{% from "${lib}" import m2 as a${context} %}`])
  }

  set (where) {
    return `{% set ${this.pick([this.variable(), this.variable(), 'a, b'])} = ${this.expression(3, where)} %}`
  }

  variable () {
    return this.pick([...NAMES, 'x', 'z', 'x', 'site', '_h'])
  }

  output (depth, where) {
    return this.choose(6) === 5 ? 'text' : `{{ ${this.expression(depth, where)} }};`
  }

  target () {
    return this.pick([...MACROS, ...MACROS, 'ns.m1', 'ns.m2', 'both', 'o.total', 'run', 'm1.call'])
  }

  given (where) {
    const values = Array.from({ length: this.choose(3) }, () => this.choose(8) === 1 ? this.pick(MACROS) : this.expression(1, where))
    if (this.choose(4) === 1) values.push(`${this.pick(['a', 'b', 'y', 'x', 'z'])}=${this.expression(1, where)}`)
    return values.join(', ')
  }

  // One that is not there would be the end of the render.
  called (where) {
    const target = this.target()
    const text = `${target}(${this.given(where)})`
    return this.choose(3) === 1 ? text : `(${text} if ${target})`
  }

  listed (where) {
    return this.pick(['xs', 'ys', 'o', `${this.path(where)}`, this.expression(2, where), `xs | ${this.listFilter()}`])
  }

  path (where) {
    let text = this.pick([...NAMES, 'x', 'y', 'z', 'site', '_h', ...where.loop ? ['loop', 'loop.index', 'loop.last'] : []])
    for (let count = this.choose(3); count > 0; count--) text += this.pick([...FIELDS.map(field => `.${field}`), '[0]', '["p"]', `[${this.pick(NAMES)}]`, '.length'])
    return text
  }

  listFilter () {
    return this.pick([
      'reverse', 'sort', 'sort(false, false, "p")', 'sort(attribute="q.r")', 'list', 'batch(2)', 'slice(2)', 'selectattr("p")', 'rejectattr("q")',
      'groupby("p")', 'dictsort', 'select("defined")', 'same'
    ])
  }

  filter (where) {
    return this.pick([
      'length', 'first', 'last', 'upper', 'safe', 'dump', 'default("none")', `default(${this.path(where)})`, `d(${this.path(where)}, true)`, 'join(",")', 'join(",", "p")',
      'sum("p")', 'same', `pick(${this.path(where)})`, 'pick("p")', `put(${this.path(where)})`, 'now', this.listFilter()
    ])
  }

  expression (depth, where) {
    if (depth === 0) return this.path(where)
    const inner = () => this.expression(depth - 1, where)
    switch (this.choose(20)) {
      case 3:
        return this.pick(['1', '"text"', 'none', 'true'])
      case 4:
        return `(${inner()} ${this.pick(['and', 'or', '==', '+', '~', '>', 'in', '===', '!='])} ${inner()})`
      case 5:
        return `(${inner()} if ${inner()}${this.choose(2) === 1 ? ` else ${inner()}` : ''})`
      case 6:
      case 7:
        return `(${inner()} | ${this.filter(where)})`
      case 8:
        return `(${inner()} is ${this.pick(['defined', 'none', 'truthy', 'odd', 'string', 'iterable', 'mapping', `sameas(${this.path(where)})`])})`
      case 9:
        return `(not ${inner()})`
      case 10:
      case 11:
        return this.called(where)
      case 12:
        return `{p: ${inner()}, q: ${inner()}}${this.pick(['', '.p', '["q"]', `[${this.path(where)}]`])}`
      case 13:
        return `[${inner()}, ${inner()}]${this.pick(['', '[0]', '[1].p'])}`
      case 14:
        return this.pick([
          'o.total()', 'xs.concat(ys)', 'xs.slice(1)', 'both(a, b)', 'range(2)', `both(${inner()}, ${inner()})[0]`, 'xs.indexOf(a)', 'o.pair(a)', `[${inner()}].map(m1)`,
          `run(m2, ${inner()})`
        ])
      case 15:
        return where.caller ? this.pick(['caller()', `caller(${this.path(where)})`]) : this.path(where)
      case 16:
        return `(${inner()} | ${this.filter(where)})${this.pick(['.p', '[0]', '.kids'])}`
      case 17:
        return where.super ? this.pick(['(super() | trim)', 'super()']) : this.path(where)
      case 18:
        return this.pick([`(${inner()}, ${inner()})`, `(-${inner()})`, `(${inner()} * 2)`, `(${inner()} == super())`])
      case 19:
        return this.pick([`({p: ${inner()}} if ${this.path(where)} else {q: ${inner()}})${this.pick(['.p', '.q', '[a]'])}`, `[{p: ${inner()}}][${this.pick(['0', '3'])}].p`, '{p: 1}.q', `(${inner()} | groupby("p"))["7"]`])
      default:
        return this.path(where)
    }
  }

  /** What a context is made of, as plain data. */
  context () {
    const context = {}
    for (const name of [...NAMES, 'x', 'y', 'z', 'site', 'range', 'm1', 'loop']) {
      if (this.choose(NAMES.includes(name) ? 8 : 3) !== 1) continue
      context[name] = this.value(3)
    }
    for (const name of NAMES) context[name] ??= name === 'o' ? this.object(3) : name.endsWith('s') ? this.list(3) : this.value(3)
    return context
  }

  value (depth) {
    switch (depth === 0 ? this.choose(4) : this.choose(10)) {
      case 1:
        return this.pick([true, false, null])
      case 2:
        return this.pick(FIELDS)
      case 4:
      case 5:
      case 6:
        return this.object(depth)
      case 7:
      case 8:
        return this.list(depth)
      default:
        return this.choose(2) === 1 ? 1000 + this.#unique++ : `v${this.#unique++}`
    }
  }

  object (depth) {
    const object = {}
    for (const field of FIELDS) if (this.choose(5) !== 4) object[field] = field === 'kids' ? this.list(depth - 1) : this.value(depth - 1)
    if (depth > 1) Object.assign(object, { total: 'method total', pair: 'method pair' })
    return object
  }

  list (depth) {
    return Array.from({ length: this.choose(4) }, () => depth <= 0 ? this.#unique++ : this.value(depth - 1))
  }
}

const here = { depth: 0, include: 0, blocks: [], loop: false, caller: false, super: false, macro: '', inside: 'page' }

const METHODS = {
  'method total': function () { return `${this.p}${this.kids?.length}` },
  'method pair': function (value) { return [this.q, value] }
}

/** A fresh context, for one render, with the value at `steps` replaced. */
export function contextOf (data, steps, value) {
  fuel = 4
  const copy = (from, at) => {
    if (steps !== undefined && at.length === steps.length && at.every((step, index) => step === steps[index])) return value
    if (Array.isArray(from)) return from.map((item, index) => copy(item, [...at, String(index)]))
    if (typeof from !== 'object' || from === null) return METHODS[from] ?? from
    return Object.fromEntries(Object.entries(from).map(([key, item]) => [key, copy(item, [...at, key])]))
  }
  return copy(data, [])
}

/** The keys that lead to each value of a context. */
export function placesIn (data, at = []) {
  const below = typeof data === 'object' && data !== null ? Object.keys(data).flatMap(key => placesIn(data[key], [...at, key])) : []
  return at.length === 0 ? below : [at, ...below]
}
