// What a block reads: the exact paths of small templates.
import t from 'tap'
import { pathsOf } from '../../dist/render/reads.js'
import { setUp, ShoutTag } from '../helpers/renderer.js'

const shared = {
  lib: '{% set title = "t" %}{% macro row(t) %}{{ t.title }}{{ title }}{{ page.name }}{% endmacro %}{% macro seen() %}{{ page.name }}{% endmacro %}{% macro around(q=1) %}{{ caller() }}{% endmacro %}',
  row: '{{ t.title }}{{ page.name }}',
  other: '{{ other }}'
}

function configure (env) {
  env.addExtension('ShoutTag', new ShoutTag())
  env.addFilter('own', value => value)
  env.addFilter('now', (value, callback) => { callback(null, value) }, true)
}

// The body of a block, and the paths that it reads.
const BODIES = [
  ['{{ a.b }}', 'a.b'],
  ['{{ a }}', 'a'],
  ['{{ a["b"].c }}', 'a.b.c'],
  ['{{ a[0].c }}', 'a[].c'],
  ['{{ a["odd key"] }}', 'a[]'],
  ['{{ a[k] }}', 'a[] k'],
  ['{{ a[k.id].title }}', 'a[].title k.id'],
  ['{{ a and b.c }}', 'a b.c'],
  ['{{ a.x or "none" }}', 'a.x'],
  ['{{ a.x if b.y else c }}', 'a.x b.y c'],
  ['{{ a.x if b }}', 'a.x b'],
  ['{{ not a }}', 'a'],
  ['{{ a.n == 3 }}', 'a.n'],
  ['{{ a + b * -c }}', 'a b c'],
  ['{{ "x" in list }}', 'list'],
  ['{{ a ~ "text" }}', 'a'],
  ['{% if user %}{{ user.name }}{% endif %}', 'user user.name'],
  ['{% if a %}1{% elif b.c %}2{% else %}{{ d }}{% endif %}', 'a b.c d'],
  ['{% for t in tasks %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].title'],
  ['{% for t in tasks %}{{ loop.index }}{% else %}{{ empty }}{% endfor %}', 'empty tasks[]'],
  ['{% for t in tasks %}{{ t }}{% endfor %}', 'tasks[]'],
  ['{% for t in board.lists %}{% for c in t.cards %}{{ c.n }}{{ t.id }}{% endfor %}{% endfor %}', 'board.lists[] board.lists[].cards[] board.lists[].cards[].n board.lists[].id'],
  ['{% for name, price in prices %}{{ name }}{% endfor %}', 'prices[] prices[][]'],
  ['{% for name, price in prices %}{{ price }}{% endfor %}', 'prices[] prices[][]'],
  ['{% for x, y, z in points %}{{ z }}{% endfor %}', 'points[] points[][]'],
  ['{% for t in tasks %}{% endfor %}{{ t.title }}', 't.title tasks[]'],
  ['{% set x = a.b %}{{ x.c }}', 'a.b.c x.c'],
  ['{% set x = "text" %}{{ x }}', ''],
  ['{% set x = "one" and "two" %}{{ x }}', ''],
  ['{% set x = a and "two" %}{{ x }}', 'a x'],
  ['{% set x = {} %}{% for t in tasks %}{% set x = {one: t.a, two: [t.b]} %}{% endfor %}{{ x.two[0].c }}', 'tasks[] tasks[].b.c'],
  ['{% if a %}{% set x = b %}{% endif %}{% set x = c %}{% if x %}{% endif %}', 'a b c x'],
  ['{% set x, y = a %}{{ y.c }}', 'a.c y.c'],
  ['{% if a %}{% set x = b %}{% endif %}{{ x }}', 'a b x'],
  ['{% if a %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}', 'a'],
  ['{% set x %}{{ a }}{% if b %}c{% endif %}{% endset %}{{ x }}', 'a b'],
  ['{% set x %}{{ a }}{% endset %}', ''],
  ['{% set n = 0 %}{% for t in tasks %}{% set n = n + t.hours %}{% endfor %}{{ n }}', 'tasks[] tasks[].hours'],
  ['{% set node = tree %}{% for i in list %}{% set node = node.next %}{% endfor %}{{ node.name }}', 'list[] node.name node.next node.next.next node.next.next.next tree tree.next tree.next.next tree.next.next.next'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ f(m1) }}{{ m2() }}', 'f m2 y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% macro m3() %}{% endmacro %}{{ (m1 if a else m3)() }}{{ m2() }}', 'a m2 y'],
  // What filters give that may give undefined is looked for in the context too.
  ['{% set n = a | length %}{{ n }}', 'a[] n'],
  ['{% set n = a | replace("x", "y") %}{{ n }}', 'a n'],
  ['{% set n = a | upper %}{{ n }}', 'a'],
  // A macro in a macro is a variable of the template, from the call of the outer one on.
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ m2(m1()) }}', 'm2'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ m1() }}{{ m2() }}', 'y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ m1() if a }}{{ m2() }}', 'a m2 y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ a and m1() }}{{ m2() }}', 'a m2 y'],
  ['{% switch a.kind %}{% case "x" %}{{ b }}{% default %}{{ c }}{% endswitch %}', 'a.kind b c'],
  ['{{ a.b | upper }}', 'a.b'],
  ['{{ a | dump }}', 'a'],
  ['{{ tasks | length }}', 'tasks[]'],
  ['{{ tasks.length }}', 'tasks.length'],
  ['{{ (tasks | first).title }}', 'tasks[] tasks[].title'],
  ['{{ a.x | default(b.y) }}', 'a.x b.y'],
  ['{% for t in tasks | sort(attribute="due.day") %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].due.day tasks[].title'],
  ['{% for t in tasks | selectattr("done") %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].done tasks[].title'],
  ['{% for t in tasks | sort(true, false, "due") %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].due tasks[].title'],
  ['{% for t in tasks | selectattr(key) %}{{ t.title }}{% endfor %}', 'key tasks'],
  ['{% for t in tasks | list %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].title'],
  ['{% for name, n in prices | dictsort %}{{ n.x }}{% endfor %}', 'prices[] prices[].x'],
  ['{% for name, n in prices | dictsort(true, "value") %}{{ n.x }}{% endfor %}', 'prices'],
  ['{{ tasks | sum("hours") }}', 'tasks[] tasks[].hours'],
  ['{{ tasks | sum }}', 'tasks'],
  ['{% for row in tasks | batch(a.n) %}{% for t in row %}{{ t.title }}{% endfor %}{% endfor %}', 'a.n tasks[] tasks[].title'],
  ['{% for row in tasks | slice(3, spare) %}{% for t in row %}{{ t.title }}{% endfor %}{% endfor %}', 'spare spare.title tasks[] tasks[].title'],
  ['{{ tasks | join(", ", "title") }}', 'tasks[] tasks[].title'],
  ['{% for day, list in tasks | groupby("day") %}{{ day }}{% for t in list %}{{ t.title }}{% endfor %}{% endfor %}', 'tasks[] tasks[].day tasks[].title tasks[][] tasks[][].title'],
  ['{{ tasks | own("x") }}', 'tasks'],
  ['{% filter upper %}{{ a.b }}{% endfilter %}', 'a.b'],
  // Nunjucks calls the filter in front of what it is in, where there is no such variable.
  ['{% filter upper %}{% for x in xs %}{{ x.p | now }}{% endfor %}{% endfilter %}', 'x.p xs[] xs[].p'],
  ['{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{% for x in xs %}{{ x.p | now }}{% endfor %}{% endcall %}', 'x.p xs[] xs[].p'],
  ['{% filter upper %}{{ a.b | now }}{% endfilter %}', 'a.b'],
  ['{{ a.b is defined }}', 'a.b'],
  ['{{ a.b is odd }}', 'a.b'],
  ['{{ a is sameas(b.c) }}', 'a b.c'],
  ['{{ cart.total() }}', 'cart cart.total'],
  ['{{ format(a.b) }}', 'a.b format'],
  ['{{ range(a.n) | length }}', 'a.n'],
  ['{{ [a, b.c][0].d }}', 'a.d b.c.d'],
  ['{{ {x: a, y: b.c}.y.d }}', 'b.c.d'],
  ['{% macro m(t, size=1) %}{{ t.title }}{{ size }}{{ site.name }}{% endmacro %}{{ m(task) }}', 'site.name task.title'],
  ['{% macro m(t) %}{{ t.title }}{% endmacro %}{{ m(t=task) }}', 'task.title'],
  ['{% macro m(t) %}{{ t.title }}{{ a }}{% endmacro %}{{ m() }}', 'a'],
  ['{% macro m() %}{{ a.b }}{% endmacro %}{{ [m][0]() }}{{ {run: m}.run() }}', 'a.b'],
  ['{% macro m() %}{{ a.b }}{% endmacro %}{{ m.call() }}', 'a.b'],
  ['{% macro m() %}{{ a.b }}{% endmacro %}{{ format({run: m}) }}{{ [m] | own }}', 'a.b format'],
  ['{% for t in tasks %}{% import "lib" as lib %}{{ lib.row(t) }}{% endfor %}{{ lib.x }}', 'lib.x tasks[] tasks[].title'],
  ['{% macro m(list) %}{% for t in list %}{{ t.name }}{{ m(t.kids) }}{% endfor %}{% endmacro %}{{ m(root.kids) }}', 'root.kids[] root.kids[].kids root.kids[].name'],
  ['{% macro m() %}{{ caller("x") }}{% endmacro %}{% for t in tasks %}{% call(kind) m() %}{{ t.title }}{{ kind }}{% endcall %}{% endfor %}', 'tasks[] tasks[].title'],
  ['{% import "lib" as lib %}{{ lib.row(a.b) }}', 'a.b.title'],
  ['{% from "lib" import row as r %}{{ r(a.b) }}', 'a.b.title'],
  ['{% from "lib" import seen with context %}{{ seen() }}', 'page.name'],
  ['{% from "lib" import seen %}{{ seen() }}', ''],
  ['{% for t in tasks %}{% include "row" %}{% endfor %}', 'page.name t.title tasks[] tasks[].title'],
  ['{% include "row" if t.big else "other" %}', 'other page.name t.big t.title'],
  ['{% include "missing" ignore missing %}', ''],
  ['{% include name %}', '* name'],
  ['{% shout %}{{ a }}{% endshout %}', '* a'],
  ['{% raw %}{{ a }}{% endraw %}{# {{ b }} #}', ''],
  ['{{ super() }}', ''],
  ['{% asyncEach t in tasks %}{{ t.title }}{% endeach %}', 'tasks[] tasks[].title'],
  ['{% for t in tasks | now %}{{ t.title }}{% endfor %}', 'tasks'],
  ['{{ a.b.c.d.e.f.g.h.i.j.k.l.m.n.o }}', 'a.b.c.d.e.f.g.h.i.j.k.l.m'],
  ['{% set x = {one: a.b, two: c} %}{{ x[k].d }}', 'a.b.d c.d k'],
  ['{% if a %}{% macro m() %}{{ b.c }}{% endmacro %}{% endif %}{{ m() }}', 'a b.c m'],
  ['{% set t = "text" %}{% for t in tasks %}{% set t = a.b %}{{ t.c }}{% endfor %}{{ t.d }}', 'a.b.c a.b.d t.d tasks[]'],
  ['{{ sse_swap("x") }}', 'dialect'],
  // A member may be undefined where not each of the values has it.
  ['{% set x = {one: 1}[a] %}{{ x }}', 'a x'],
  ['{% set x = ({one: 1} if a else {two: 1}).one %}{{ x }}', 'a x'],
  ['{% set x = ({one: 1} if a else {one: 2}).one %}{{ x }}', 'a'],
  ['{% set x = [{one: 1}][7].one %}{{ x }}', 'x'],
  ['{% set x = 1 %}{% set y = 1 %}{% for i in [1, 2] %}{% set y = x %}{% set x = {one: 1}.two %}{% endfor %}{{ y }}', 'x y'],
  ['{{ ((list | groupby("k")) if a else {seven: 1}).seven[0].b }}', 'a list[] list[].b list[].k'],
  ['{{ {one: a}.valueOf().one.b }}', 'a'],
  // Macros that are called with what is not known.
  ['{% macro m(t) %}{{ t.a }}{% endmacro %}{{ m.call(none, b) }}', 'b'],
  ['{% macro m(t) %}{{ t.a }}{% endmacro %}{{ m.call.call(m, none, b) }}', 'b'],
  ['{% macro m(t, size=1) %}{{ size }}{% endmacro %}{{ [1].map(m) }}', 'size'],
  ['{% macro m(t) %}{{ t.b }}{% endmacro %}{{ a is odd(m) }}', 'a'],
  ['{% macro m() %}{{ b }}{% endmacro %}{{ a is own(m) }}', 'a b'],
  ['{% macro m() %}{% endmacro %}{{ (m if a else find("m"))(b) }}', 'a b find'],
  ['{% macro m() %}{% endmacro %}{{ (m if a else m)(b) }}', 'a'],
  // Macros that call themselves with what may be undefined.
  ['{% macro m(t, size=1) %}{{ size }}{% if t %}{{ m(t.kid) }}{% endif %}{% endmacro %}{{ m(a) }}', 'a a.kid'],
  ['{% macro m(t, size=1) %}{{ size }}{% if t %}{{ m(t.kid, size + 1) }}{% endif %}{% endmacro %}{{ m(a) }}', 'a a.kid'],
  ['{% macro m(t, size=1) %}{{ size }}{% if t %}{{ m(t.kid, t.n) }}{% endif %}{% endmacro %}{{ m(a) }}', 'a a.kid a.n size'],
  ['{% macro m(t, o) %}{% set x = o.p %}{{ x }}{% if t %}{{ m(t.kid, {}) }}{% endif %}{% endmacro %}{{ m(a, {p: 1}) }}', 'a a.kid x'],
  ['{% macro m(t) %}{{ caller() }}{% if t %}{{ m(t.kid) }}{% endif %}{% endmacro %}{% call m(a) %}{% endcall %}', 'a a.kid caller'],
  // What a macro defines is there when it calls itself.
  ['{% macro m(t) %}{% if t %}{{ n() }}{% endif %}{% macro n() %}{{ b }}{% endmacro %}{{ m(1) }}{% endmacro %}{{ m(a) }}', 'a b n'],
  ['{% macro d() %}{% macro n() %}{{ b }}{% endmacro %}{% endmacro %}{% macro m(t) %}{% if t %}{{ n() }}{% endif %}{{ d() }}{{ m(1) }}{% endmacro %}{{ m(a) }}', 'a b n'],
  // Functions that may have changed a value, and what decides whether they were called.
  ['{% set l = [] %}{% set n = l.push(a ~ "") %}{{ l[0] }}', 'a'],
  ['{% set l = [] %}{% set n = l.push(1) if a %}{{ l[0] }}', 'a'],
  ['{% set l = [] %}{% set n = (l if a else []).push(1) %}{{ l[0] }}', 'a'],
  ['{% set l = [] %}{% set n = (l | own(a ~ "")) if b %}{{ l[0] }}', 'a b'],
  ['{% set l = [] %}{% macro m() %}{{ a }}{% endmacro %}{% set n = l.push(m) %}{{ l[0]() }}', 'a'],
  ['{% set n = format("a", "b") if a %}{{ b }}', 'b'],
  ['{% set comma = joiner() %}{% set n = comma() if a %}{{ comma() }}', 'a comma'],
  ['{% for f in list %}{% set n = f() if a %}{% endfor %}{{ b }}', 'a b list[]'],
  ['{% macro m() %}{{ n() if n }}{% macro n() %}{{ a }}{% endmacro %}{% endmacro %}{{ [1, 2].map(m) }}', 'a n'],
  // The body of a call goes by the frame of a macro beside it.
  ['{% macro m(q=a.b) %}{{ caller() }}{% endmacro %}{% set x = 1 %}{% call m() %}{{ q.c }}{{ x }}{% endcall %}', 'a.b.c q.c x'],
  ['{% import "lib" as lib %}{% set x = 1 %}{% call lib.around() %}{{ x }}{{ q }}{% endcall %}', 'q'],
  // Filters that answer later are called ahead of the statement.
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{{ m2() ~ (m1() | now) }}', 'y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% set x = m2() ~ (m1() | now) %}{{ x }}', 'y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% for x in [m2(), m1() | now] %}{{ x }}{% endfor %}', 'y'],
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% if m2() ~ (m1() | now) %}{% endif %}', 'y'],
  // What comes behind the one that it is, is not evaluated.
  ['{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% switch a %}{% case 1 %}{% case m1() %}{% endswitch %}{{ m2() }}', 'a m2 y'],
  ['{% for t in tasks | sort(true, false, "due", attribute="n") %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].due tasks[].title'],
  ['{% for t in tasks | sort(true, false, key, attribute="n") %}{{ t.title }}{% endfor %}', 'key tasks'],
  ['{% for t in tasks | sort(true, false, attribute="n") %}{{ t.title }}{% endfor %}', 'tasks[] tasks[].n tasks[].title'],
  ['{% for t in tasks | sort %}{{ t.title }}{% endfor %}', 'tasks'],
  ['{{ format([a], 1) }}{{ format({one: b}, 1) }}', 'a b format']
]

for (const [body, paths] of BODIES) {
  t.test(body, t => {
    const { renderer } = setUp({ ...shared, page: `{% block x %}${body}{% endblock %}` }, { configure })
    t.equal(pathsOf(renderer.reads.analyse('page').blocks.get('x').reads).join(' '), paths)
    t.end()
  })
}

// Nunjucks takes what Object.prototype has for globals, and paths of globals are left out.
// Templates, of which `page` is read, and the paths of each of its blocks.
const CHAINS = {
  'a set at the top feeds the blocks that use it': [
    { page: '{% set total = cart.total %}{% set y = a.b %}{% block x %}{{ total }}{% endblock %}{% block z %}{{ y.c }}{% endblock %}{% set y = 1 %}' },
    { x: 'cart.total', z: 'a.b.c' }
  ],
  'a set at the top under a condition': [
    { page: '{% if a %}{% set y = b %}{% endif %}{% block x %}{{ y.c }}{% endblock %}' },
    { x: 'a b.c y.c' }
  ],
  'inherited blocks, and what the leaf sets for them': [
    { page: '{% extends "base" %}{% set y = a %}', base: '{% block x %}{{ y.c }}{% endblock %}{{ b }}' },
    { x: 'a.c' }
  ],
  'super()': [
    { page: '{% extends "mid" %}{% block x %}{{ super() }}{{ a }}{% endblock %}', mid: '{% extends "base" %}{% block x %}{{ super() }}{{ b }}{% endblock %}', base: '{% block x %}{{ c }}{% endblock %}' },
    { x: 'a b c' }
  ],
  'super() in a variable for a block inside': [
    { page: '{% extends "base" %}{% block x %}{% set y = super() %}{% block z %}{{ y }}{% endblock %}{% endblock %}', base: '{% block x %}{{ a }}{% endblock %}' },
    { x: 'a', z: 'a' }
  ],
  'nested blocks, of which the nearest to the leaf is in effect': [
    { page: '{% extends "base" %}{% block inner %}{{ mine }}{{ z.k }}{% endblock %}', base: '{% block outer %}{{ q }}{% set z = p.r %}{% block inner %}{{ theirs }}{% endblock %}{% endblock %}' },
    { outer: 'mine p.r.k q z.k', inner: 'mine p.r.k z.k' }
  ],
  'a block in a loop and a condition gets its variables from the caller': [
    { page: '{% if a %}{% for t in tasks %}{% block row %}{{ t.title }}{% endblock %}{% endfor %}{% endif %}' },
    { row: 't.title' }
  ],
  'a block in the body of a call, and in a macro': [
    { page: '{% macro m(t) %}{% block x %}{{ t.a }}{% endblock %}{{ caller() }}{% endmacro %}{% call m(b) %}{% block y %}{{ c }}{% endblock %}{% endcall %}' },
    { x: 't.a', y: 'c' }
  ],
  'a block that no tag places': [
    { page: '{% extends "base" %}{% block orphan %}{{ a }}{{ y }}{% endblock %}', base: '{% set y = b %}' },
    { orphan: 'a b' }
  ],
  'blocks that hold each other': [
    { page: '{% extends "base" %}{% block x %}{{ a }}{% block y %}{% endblock %}{% endblock %}', base: '{% block y %}{{ b }}{% block x %}{% endblock %}{% endblock %}' },
    { y: '', x: 'a' }
  ],
  'blocks that hold each other by super()': [
    { page: '{% extends "base" %}{% block y %}{{ a }}{% block x %}{{ super() }}{% endblock %}{% endblock %}', base: '{% block x %}{{ b }}{% block y %}{% endblock %}{% endblock %}' },
    { x: 'a b', y: 'a b' }
  ],
  'either of two parents': [
    { page: '{% extends ("one" if a else "two") %}', one: '{% block x %}{{ b }}{% endblock %}', two: '{% block x %}{{ c }}{% endblock %}' },
    { x: 'a b c' }
  ],
  'either of two parents, of which one has no tag for a block': [
    { page: '{% extends ("one" if a else "two") %}{% block x %}{{ b }}{% endblock %}', one: '{% set b = c %}{% block x %}{% endblock %}', two: '' },
    { x: 'a b c' }
  ],
  'a parent that is not known': [
    { page: '{% extends layout %}{% block x %}{{ a }}{% endblock %}' },
    { x: '* a layout' }
  ],
  'a parent that is not there': [
    { page: '{% extends "missing" %}{% block x %}{{ a }}{% endblock %}' },
    { x: '* a' }
  ],
  'a parent under a condition': [
    { page: '{% if a %}{% extends "base" %}{% endif %}{% block x %}{{ b }}{% endblock %}', base: '' },
    { x: '* b' }
  ],
  'a template that extends itself': [
    { page: '{% extends "page" %}{% block x %}{{ a }}{% endblock %}' },
    { x: '* a' }
  ],
  'a function may put one value into another': [
    { page: '{% set list = [] %}{% if list.push(task) %}{% endif %}{% set y = list.push(a.b) %}{% block x %}{{ list[0].title }}{% endblock %}' },
    { x: 'a.b task' }
  ],
  'an included template with a parent of its own': [
    { page: '{% block x %}{% include "inc" %}{% endblock %}', inc: '{% extends "frame" %}{% block own %}{{ a }}{% endblock %}{{ lost }}', frame: '<{% block own %}{{ b }}{% endblock %}{{ c }}>' },
    { x: 'a c' }
  ],
  'an included template with a parent that is not known, or under a condition': [
    { page: '{% block x %}{% include "inc" %}{% endblock %}{% block y %}{% include "maybe" %}{% endblock %}', inc: '{% extends layout %}', maybe: '{% if a %}{% extends "page" %}{% endif %}' },
    { x: '* layout', y: '*' }
  ],
  'a template that includes itself': [
    { page: '{% block x %}{% for n in tree.kids %}{% include "node" %}{% endfor %}{% endblock %}', node: '{{ n.title }}{% for n in n.kids %}{% include "node" %}{% endfor %}' },
    { x: 'n.kids[] n.title tree.kids[] tree.kids[].kids[] tree.kids[].title' }
  ],
  'a template that includes itself, with a variable of the page': [
    { page: '{% set y = a %}{% block x %}{% include "node" %}{% endblock %}', node: '{{ y.b }}{% include "node" %}' },
    { x: 'a a.b' }
  ],
  'an import that is not known': [
    { page: '{% import name as lib %}{% block x %}{{ lib.m() }}{% endblock %}{% block y %}{{ a }}{% endblock %}' },
    { x: '*', y: '* a' }
  ],
  'templates that import each other': [
    { page: '{% block x %}{% include "inc" %}{% endblock %}', inc: '{% from "lib" import m %}{{ m() }}', lib: '{% from "inc" import q %}{% macro m() %}{{ q }}{% endmacro %}' },
    { x: '*' }
  ],
  'a macro sees what its template sets, not what is around its call': [
    { page: '{% set y = a.b %}{% macro m() %}{{ y.c }}{{ t }}{% endmacro %}{% block x %}{% for t in tasks %}{{ m() }}{% endfor %}{% endblock %}' },
    { x: 'a.b.c t tasks[]' }
  ],
  'imports with the context write to frames around': [
    { page: '{% block x %}{% set y = 1 %}{% import "lib" as lib with context %}{{ y }}{% endblock %}', lib: '{% set y = a %}' },
    { x: 'a y' }
  ],
  'a name that an import may not have': [
    { page: '{% import ("one" if a else "two") as lib %}{% block b %}{% set x = lib.x %}{% set y = lib.y %}{{ x }}{{ y }}{% endblock %}', one: '{% set x = 1 %}{% set y = 2 %}', two: '{% set y = 1 %}{% if 1 %}{% set x = 1 %}{% endif %}' },
    { b: 'a x' }
  ],
  'super() where Nunjucks has no text for it': [
    {
      page: '{% extends "base" %}{% block x %}{% macro m() %}{% set y = super() %}{{ y }}{% endmacro %}{{ m() }}{% block z %}{% set w = super() %}{{ w }}{% endblock %}{% endblock %}{% block c %}{% set v = super() %}{{ v }}{{ b == super() }}{% endblock %}',
      base: '{% block x %}{{ a }}{% endblock %}{% block z %}{% endblock %}{% block c %}{% endblock %}'
    },
    { x: 'a w y', z: 'w', c: 'b super' }
  ],
  'statements of no interest on the way to a block are left out': [
    { page: '{% macro m1() %}{% macro m2() %}{{ y }}{% endmacro %}{% endmacro %}{% if m1() %}{% endif %}{% for i in [m1()] %}{% endfor %}{% switch m1() %}{% case 1 %}{% endswitch %}{% block x %}{{ m2() }}{% endblock %}' },
    { x: 'm2 y' }
  ],
  'conditions on the way to a block, of functions that may have changed a value': [
    { page: '{% if a %}{% set n = list.pop() %}{% endif %}{% if b %}{% set n = format(1) %}{% endif %}{% block x %}{{ list | length }}{% endblock %}' },
    { x: 'a list[]' }
  ],
  'a block in a macro of a template that has a parent': [
    {
      page: '{% block x %}{% include "inc" %}{% endblock %}',
      inc: '{% extends "frame" %}{% macro m() %}{% block own %}{% macro n() %}{{ a }}{% endmacro %}{% endblock %}{% endmacro %}{{ m() }}',
      frame: '{{ n() if n }}'
    },
    { x: 'a n' }
  ],
  'one of several templates, each of which sets a variable around it': [
    {
      page: '{% block x %}{% set y = [0] %}{% include ("one" if a else "two") %}{{ y[0].p }}{% endblock %}{% block z %}{% set y = [0] %}{% include "parents" %}{{ y[0].p }}{% endblock %}{% block w %}{% set y = [0] %}{% import ("setOne" if a else "setTwo") as lib with context %}{{ y[0].p }}{% endblock %}',
      one: '{% import "setOne" as lib with context %}',
      two: '{% import "setTwo" as lib with context %}',
      parents: '{% extends ("one" if a else "two") %}',
      setOne: '{% set y = [b] %}',
      setTwo: '{% set y = [c] %}'
    },
    { x: 'a b.p c.p', z: 'a b.p c.p', w: 'a b.p c.p' }
  ],
  'the body of a call that a macro keeps': [
    {
      page: '{% block x %}{% import "lib" as lib %}{% include "inc" %}{{ lib.again() }}{% endblock %}',
      inc: '{% set y = a %}{% call lib.m() %}{{ y.b }}{% endcall %}',
      lib: '{% macro m() %}{% import "copy" as kept with context %}{% endmacro %}{% macro again() %}{{ kept.f() }}{% endmacro %}',
      copy: '{% set f = caller %}'
    },
    { x: 'a.b' }
  ],
  'a template that may be missing': [
    { page: '{% block x %}{% set y = [b] %}{% include "one" ignore missing %}{{ y[0].p }}{% endblock %}', one: '{% import "set" as lib with context %}', set: '{% set y = [1] %}' },
    { x: 'b.p' }
  ],
  'a block of an included template that has a parent': [
    { page: '{% block x %}{% include "inc" %}{% endblock %}', inc: '{% extends "frame" %}{% block own %}{{ m() }}{% macro m() %}{{ a }}{% endmacro %}{% endblock %}', frame: '{% block own %}{% endblock %}' },
    { x: 'm' }
  ],
  'a template that includes itself, with another macro under a name': [
    { page: '{% macro m1() %}{% endmacro %}{% macro m2() %}{{ a }}{% endmacro %}{% block x %}{% set f = m1 %}{% set g = m2 %}{% include "node" %}{% endblock %}', node: '{{ f() }}{% set f = g %}{% include "node" %}' },
    { x: 'a' }
  ],
  'a template that includes itself, where a variable may be undefined by then': [
    { page: '{% block x %}{% set y = 1 %}{% include "node" %}{% endblock %}', node: '{{ y }}{% for i in list %}{% set y = i.gone %}{% include "node" %}{% endfor %}' },
    { x: '* list[] list[].gone' }
  ],
  'names of Object.prototype': [
    { page: '{% block constructor %}{{ constructor }}{{ a.toString }}{{ __proto__ }}{% endblock %}' },
    { constructor: 'a.toString' }
  ]
}

for (const [name, [templates, blocks]] of Object.entries(CHAINS)) {
  t.test(name, t => {
    const { renderer } = setUp(templates, { configure })
    const found = renderer.reads.analyse('page').blocks
    t.same(Object.fromEntries([...found].map(([block, { reads }]) => [block, pathsOf(reads).join(' ')])), blocks)
    t.end()
  })
}
