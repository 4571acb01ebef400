// Rendering a block, or a whole template.
import nunjucks from 'nunjucks'
import t from 'tap'
import { addAsyncFilters, setUp, ShoutTag } from '../helpers/renderer.js'

t.test('renders one block', async t => {
  const cases = [
    {
      name: 'of the template itself',
      templates: { 'page.html': 'before {% block a %}<p>{{ x }}</p>{% endblock %} after' },
      context: { x: '<1>' },
      html: '<p>&lt;1&gt;</p>'
    },
    {
      name: 'that only the parent has',
      templates: { 'page.html': '{% extends "base.html" %}', 'base.html': '<b>{% block a %}base{% endblock %}</b>' },
      html: 'base'
    },
    {
      name: 'that the child overrides',
      templates: { 'page.html': '{% extends "base.html" %}{% block a %}child{% endblock %}', 'base.html': '{% block a %}base{% endblock %}' },
      html: 'child'
    },
    {
      name: 'with super() over one level',
      templates: { 'page.html': '{% extends "base.html" %}{% block a %}[{{ super() }}]{% endblock %}', 'base.html': '{% block a %}<i>base</i>{% endblock %}' },
      html: '[<i>base</i>]'
    },
    {
      name: 'with super() over three levels',
      templates: {
        'page.html': '{% extends "one.html" %}{% block a %}3{{ super() }}{% endblock %}',
        'one.html': '{% extends "two.html" %}{% block a %}2{{ super() }}{% endblock %}',
        'two.html': '{% extends "base.html" %}{% block a %}1{{ super() }}{% endblock %}',
        'base.html': '{% block a %}0{% endblock %}'
      },
      html: '3210'
    },
    {
      name: 'with super() that skips a level',
      templates: {
        'page.html': '{% extends "one.html" %}{% block a %}2{{ super() }}{% endblock %}',
        'one.html': '{% extends "base.html" %}',
        'base.html': '{% block a %}0{% endblock %}'
      },
      html: '20'
    },
    {
      name: 'with a parent that the context names',
      templates: { 'page.html': '{% extends layout %}', 'base.html': '{% block a %}wrong{% endblock %}', 'other.html': '{% block a %}right{% endblock %}' },
      context: { layout: 'other.html' },
      html: 'right'
    },
    {
      name: 'with a parent that a setting names',
      templates: { 'page.html': '{% set layout = "other.html" %}{% extends layout %}', 'other.html': '{% block a %}right{% endblock %}' },
      html: 'right'
    },
    {
      name: 'of the template that a condition does not extend',
      templates: { 'page.html': '{% if full %}{% extends "base.html" %}{% endif %}{% set x = 1 %}{% block a %}own {{ x }}{% endblock %}{% set x = 2 %}', 'base.html': '{% block a %}base{% endblock %}' },
      html: 'own 1'
    },
    {
      name: 'of the template that a condition extends',
      templates: { 'page.html': '{% if full %}{% extends "base.html" %}{% endif %}{% set x = 1 %}{% block a %}{{ super() }} {{ x }}{% endblock %}{% set x = 2 %}', 'base.html': '{% block a %}base{% endblock %}' },
      context: { full: true },
      html: 'base 2'
    },
    {
      name: 'in the branch beside a conditional extends',
      templates: { 'page.html': '{% if full %}{% extends "base.html" %}{% else %}{% set x = 1 %}<p>{% block a %}own {{ x }}{% endblock %}</p>{% endif %}', 'base.html': '<b>{% block a %}base{% endblock %}</b>' },
      html: 'own 1'
    },
    {
      name: 'that the other branch of a conditional extends gives to the parent',
      templates: { 'page.html': '{% if full %}{% extends "base.html" %}{% else %}{% set x = 1 %}<p>{% block a %}own {{ x }}{% endblock %}</p>{% endif %}', 'base.html': '<b>{% block a %}base{% endblock %}</b>' },
      context: { full: true },
      html: 'own '
    },
    {
      name: 'with a relative parent',
      template: 'sub/page.html',
      templates: { 'sub/page.html': '{% extends "../base.html" %}', 'base.html': '{% extends "./root.html" %}', 'root.html': '{% block a %}root{% endblock %}' },
      html: 'root'
    },
    {
      name: 'that no parent places',
      templates: { 'page.html': '{% extends "base.html" %}{% set x = 1 %}{% block a %}{{ x }}{{ y }}{% endblock %}', 'base.html': '{% set y = 2 %}{% block b %}{% endblock %}' },
      html: '12'
    },
    {
      name: 'inside another block, alone',
      templates: { 'page.html': '{% block outer %}<div>{% block a %}inner{% endblock %}</div>{% endblock %}' },
      html: 'inner'
    },
    {
      name: 'with an inner block that the child overrides',
      block: 'outer',
      templates: { 'page.html': '{% extends "base.html" %}{% block a %}child{% endblock %}', 'base.html': '{% block outer %}<div>{% block a %}base{% endblock %}</div>{% endblock %}' },
      html: '<div>child</div>'
    },
    {
      name: 'that sees what the block around it sets and imports',
      templates: {
        'page.html': '{% block outer %}{% set x = 1 %}{% from "macros.html" import bold %}<div>{% block a %}{{ bold(x) }}{% endblock %}</div>{% endblock %}',
        'macros.html': '{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}'
      },
      html: '<b>1</b>'
    },
    {
      name: 'that is placed by an override of the block around it',
      templates: {
        'page.html': '{% extends "base.html" %}{% block outer %}{% set x = "child" %}<p>{% block a %}{{ x }} {{ y }}{% endblock %}</p>{% endblock %}',
        'base.html': '{% set y = "y" %}{% block outer %}{% set x = "base" %}{% endblock %}'
      },
      html: 'child y'
    },
    {
      name: 'that is placed through super()',
      templates: {
        'page.html': '{% extends "base.html" %}{% block outer %}<p>{{ super() }}</p>{% endblock %}{% block a %}{{ x }}{% endblock %}',
        'base.html': '{% block outer %}{% set x = "base" %}<div>{% block a %}{% endblock %}</div>{% endblock %}'
      },
      html: 'base'
    },
    {
      name: 'after a setting that holds super() of the block around it',
      templates: {
        'page.html': '{% extends "base.html" %}{% block outer %}{% set x = super() %}{% block a %}<{{ x }}>{% endblock %}{% endblock %}',
        'base.html': '{% block outer %}base{% endblock %}'
      },
      html: '<base>'
    },
    {
      name: 'after blocks that hold each other',
      templates: {
        'page.html': '{% extends "base.html" %}{% block one %}{% block two %}{{ super() }}{% endblock %}{% endblock %}',
        'base.html': '{% block two %}{% block one %}{% endblock %}{% endblock %}{% block a %}found{% endblock %}'
      },
      html: 'found'
    },
    {
      name: 'after a super() that has no parent',
      templates: { 'page.html': '{% block outer %}{{ super() }}{% block a %}found{% endblock %}{% endblock %}' },
      html: 'found'
    },
    {
      name: 'that a block in the body of a setting does not override',
      templates: { 'page.html': '{% extends "base.html" %}{% set x %}{% block a %}in set{% endblock %}{% endset %}', 'base.html': '{% block a %}base{% endblock %}' },
      html: 'base'
    },
    {
      name: 'after a macro that places another block',
      templates: { 'page.html': '{% macro m() %}<{% block b %}b{% endblock %}>{% endmacro %}{% set x = m() %}{% block a %}{{ x }}{% endblock %}' },
      html: '<b>'
    },
    {
      name: 'in a condition that does not hold',
      templates: { 'page.html': '{% if false %}{% set x = 1 %}{% block a %}in if {{ x }}{% endblock %}{% endif %}' },
      html: 'in if 1'
    },
    {
      name: 'in an elif and in an else',
      templates: { 'page.html': '{% if true %}1{% elif true %}2{% else %}{% block a %}in else{% endblock %}{% endif %}' },
      html: 'in else'
    },
    {
      name: 'in a loop, with the loop variable of the caller',
      templates: { 'page.html': '{% for item in items %}<li>{% block a %}{{ item }}{% endblock %}</li>{% endfor %}' },
      context: { items: [1, 2, 3], item: 9 },
      html: '9'
    },
    {
      name: 'in the body of a call',
      templates: { 'page.html': '{% macro box() %}<div>{{ caller() }}</div>{% endmacro %}{% call box() %}{% set x = 1 %}{% block a %}in call {{ x }}{% endblock %}{% endcall %}' },
      html: 'in call 1'
    },
    {
      name: 'in the body of a filter',
      templates: { 'page.html': '{% filter upper %}{% block a %}in filter{% endblock %}{% endfilter %}' },
      html: 'in filter'
    },
    {
      name: 'in a macro, with the arguments of the caller',
      templates: { 'page.html': '{% macro m(x) %}{% block a %}{{ x }}{% endblock %}{% endmacro %}' },
      context: { x: 5 },
      html: '5'
    },
    {
      name: 'with settings of child and parent',
      templates: {
        'page.html': '{% extends "base.html" %}{% set x = "child" %}{% set both = "child" %}{% block a %}{{ x }} {{ y }} {{ both }}{% endblock %}',
        'base.html': '{% set y = "parent" %}{% set both = both + " parent" %}{% block a %}{% endblock %}'
      },
      html: 'child parent child parent'
    },
    {
      name: 'without a setting that comes after it',
      templates: { 'page.html': '{% set x = 1 %}{% block a %}{{ x }}{{ y }}{% endblock %}{% set x = 2 %}{% set y = 3 %}' },
      html: '1'
    },
    {
      name: 'with settings in conditions, loops and switches',
      templates: {
        'page.html': '{% if no %}a{% elif yes %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{% set b = 0 %}{% for n in [1, 2] %}{{ n }}{% set b = b + n %}{% endfor %}' +
          '{% if yes %}text{% endif %}{% switch yes %}{% case true %}{% set c = 3 %}{% default %}{% set c = 4 %}{% endswitch %}{% switch yes %}{% case true %}text{% endswitch %}' +
          '{% block a %}{{ a }}{{ b }}{{ c }}{% endblock %}'
      },
      context: { yes: true },
      html: '133'
    },
    {
      name: 'with a case of a switch that sets nothing, in front of one that does',
      templates: { 'page.html': '{% switch n %}{% case 1 %}text{% case 2 %}{% set x = "two" %}{% endswitch %}{% switch n %}{% case 1 %}{% case 2 %}{% set y = "either" %}{% endswitch %}{% block a %}{{ x }}{{ y }}{% endblock %}' },
      context: { n: 1 },
      html: 'either'
    },
    {
      name: 'with a setting that has a body',
      templates: { 'page.html': '{% set x %}<b>{{ y }}</b>{% endset %}{% block a %}{{ x | safe }}{% endblock %}' },
      context: { y: '&' },
      html: '<b>&amp;</b>'
    },
    {
      name: 'with an imported template',
      templates: { 'page.html': '{% import "macros.html" as m %}{% block a %}{{ m.bold("&") }}{% endblock %}', 'macros.html': '{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}' },
      html: '<b>&amp;</b>'
    },
    {
      name: 'with names of an imported template',
      templates: { 'page.html': '{% from "macros.html" import bold as strong, name %}{% block a %}{{ strong(name) }}{% endblock %}', 'macros.html': '{% set name = "n" %}{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}' },
      html: '<b>n</b>'
    },
    {
      name: 'with a template imported with context',
      templates: { 'page.html': '{% from "macros.html" import greeting with context %}{% block a %}{{ greeting }}{% endblock %}', 'macros.html': '{% set greeting = "Hello " + user %}' },
      context: { user: 'Ada' },
      html: 'Hello Ada'
    },
    {
      name: 'with a macro of the template and its caller',
      templates: { 'page.html': '{% macro box(title, open=false) %}<div>{{ title }}{{ open }}{{ caller() }}</div>{% endmacro %}{% block a %}{% call box("T", open=true) %}in{% endcall %}{% endblock %}' },
      html: '<div>Ttruein</div>'
    },
    {
      name: 'beside an output that fails',
      templates: { 'page.html': '{{ 1 | boom }}{% block a %}fine{% endblock %}{{ 1 | boom }}' },
      html: 'fine'
    },
    {
      name: 'beside an include that fails',
      templates: { 'page.html': '{% include "missing.html" %}{% block a %}fine{% endblock %}' },
      html: 'fine'
    },
    {
      name: 'beside a block that fails',
      templates: { 'page.html': '{% block b %}{% from "missing.html" import x %}{{ 1 | boom }}{% endblock %}{% block a %}fine{% endblock %}' },
      html: 'fine'
    },
    {
      name: 'with an include that sees its variables',
      templates: { 'page.html': '{% set x = 1 %}{% block a %}{% set y = 2 %}{% include "part.html" %}{% endblock %}', 'part.html': '({{ x }}{{ y }}{{ z }})' },
      context: { z: 3 },
      html: '(123)'
    },
    {
      name: 'with an include that is missing and may be',
      templates: { 'page.html': '{% block a %}[{% include "missing.html" ignore missing %}]{% endblock %}' },
      html: '[]'
    },
    {
      name: 'with an include that extends',
      templates: { 'page.html': '{% block a %}[{% include "part.html" %}]{% endblock %}', 'part.html': '{% extends "box.html" %}{% block b %}part{% endblock %}', 'box.html': '<{% block b %}{% endblock %}>' },
      html: '[<part>]'
    },
    {
      name: 'with a template object from the context',
      templates: { 'page.html': '{% block a %}{% include part %}{% include part %}{% endblock %}' },
      context: { part: new nunjucks.Template('({{ x }})', new nunjucks.Environment([])), x: '<' },
      html: '(&lt;)(&lt;)'
    },
    {
      name: 'with escaping, safe strings and the safe filter',
      templates: { 'page.html': '{% block a %}{{ x }}{{ x | safe }}{{ y }}{{ "<" }}{% endblock %}' },
      context: { x: '<', y: new nunjucks.runtime.SafeString('<') },
      html: '&lt;<<&lt;'
    },
    {
      name: 'beside block tags in raw and comments',
      templates: { 'page.html': '{% raw %}{% block a %}raw{% endblock %}{% endraw %}{# {% block a %}comment{% endblock %} #}{% block a %}{% raw %}{{ real }}{% endraw %}{% endblock %}' },
      html: '{{ real }}'
    },
    {
      name: 'with delimiters of the environment',
      opts: { tags: { blockStart: '<%', blockEnd: '%>', variableStart: '<$', variableEnd: '$>', commentStart: '<#', commentEnd: '#>' } },
      templates: { 'page.html': '<% set x = 1 %><# note #><% block a %>{{ <$ x $> }}<% endblock %>' },
      html: '{{ 1 }}'
    },
    {
      name: 'with whitespace control',
      opts: { trimBlocks: true, lstripBlocks: true },
      templates: { 'page.html': '{% block a %}\n  {% if true %}\n  x {{- " y" -}} z\n  {% endif %}\n{% endblock %}' },
      html: '  x yz\n'
    },
    {
      name: 'with globals, and variables in front of them',
      configure: env => env.addGlobal('site', 'global').addGlobal('other', 'global'),
      templates: { 'page.html': '{% block a %}{{ site }} {{ other }} {{ range(3) }}{% endblock %}' },
      context: { other: 'own' },
      html: 'global own 0,1,2'
    },
    {
      name: 'with tags of the environment',
      configure: env => env.addExtension('shout', new ShoutTag()),
      templates: { 'page.html': '{% shout %}x{% endshout %}{% block a %}{% shout "!" %}hello {{ x }}{% endshout %}{% endblock %}' },
      context: { x: 'ada' },
      html: 'HELLO ADA!'
    },
    {
      name: 'after the preprocessing of the environment',
      configure: env => env.addExtension('pre', { preprocess: source => source.replaceAll('NAME', '{{ name }}') }),
      templates: { 'page.html': '{% block a %}NAME{% endblock %}' },
      context: { name: 'Ada' },
      html: 'Ada'
    },
    {
      name: 'that is named like a property of every object',
      block: 'constructor',
      templates: { 'page.html': '{% extends "base.html" %}{% block constructor %}own {{ super() }}{% endblock %}', 'base.html': '{% block constructor %}base{% endblock %}' },
      html: 'own base'
    },
    {
      name: 'whose outputs are all there, if undefined ones throw',
      opts: { throwOnUndefined: true },
      templates: { 'page.html': '{% block a %}text {{ x.y["z"] }}{{ x.y.z if x else nothing }}{{ nothing if no }}{{ (x.y.z) }}{{ nothing or x.y.z }}{{ x and x.y.z }}{{ nothing | default(1) }}{{ f("") }}{% endblock %}' },
      context: { x: { y: { z: 0 } }, f: value => value },
      html: 'text 000001'
    },
    {
      name: 'with variables without a prototype',
      templates: { 'page.html': '{% block a %}{{ x }}{% endblock %}' },
      context: Object.assign(Object.create(null), { x: 1 }),
      html: '1'
    },
    {
      name: 'with frozen variables',
      templates: { 'page.html': '{% set x = x + 1 %}{% block a %}{{ x }}{% endblock %}' },
      context: Object.freeze({ x: 1 }),
      html: '2'
    },
    {
      name: 'without the prototype that an own __proto__ would set',
      templates: { 'page.html': '{% block a %}[{{ admin }}]{% include "part.html" %}{% endblock %}', 'part.html': '[{{ admin }}]' },
      context: JSON.parse('{ "__proto__": { "admin": true } }'),
      html: '[][]'
    }
  ]
  for (const { name, template = 'page.html', block = 'a', templates, context = {}, html, opts, configure = () => {} } of cases) {
    t.test(name, async t => {
      const { renderer } = setUp(templates, { opts, configure: env => { addAsyncFilters(env); configure(env) } })
      t.equal(renderer.renderBlock(template, block, context), html, 'the first time')
      t.equal(renderer.renderBlock(template, block, context), html, 'with a plan')
    })
  }
})

t.test('renders a whole template', async t => {
  const templates = {
    'page.html': '{% extends "base.html" %}{% from "macros.html" import bold %}{% block a %}{{ bold(x) }}{{ super() }}{% endblock %}',
    'base.html': '<main>{% set y = "y" %}{% for n in [1, 2] %}{% block a %}{{ y }}{% endblock %}{% endfor %}{% include "part.html" %}</main>',
    'part.html': '({{ x }})',
    'macros.html': '{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}'
  }

  t.test('as Nunjucks does', async t => {
    const { env, renderer } = setUp(templates)
    const html = '<main><b>&lt;</b>y<b>&lt;</b>y(&lt;)</main>'
    t.equal(renderer.renderTemplate('page.html', { x: '<' }), html)
    t.equal(env.render('page.html', { x: '<' }), html)
  })

  t.test('with a block that is named like a property of every object', async t => {
    const { renderer } = setUp({ 'page.html': '{% extends "base.html" %}{% block constructor %}own{% endblock %}', 'base.html': '<{% block constructor %}{% endblock %}>' })
    t.equal(renderer.renderTemplate('page.html', {}), '<own>')
  })

  t.test('and reports templates that extend each other', async t => {
    const { renderer } = setUp({ 'page.html': '{% extends "other.html" %}', 'other.html': '{% extends "page.html" %}' })
    t.throws(() => renderer.renderTemplate('page.html', {}), { code: 'FST_CHIRP_RENDER', cause: { name: 'RangeError' } })
  })

  t.test('and reports super() without a parent', async t => {
    const { renderer } = setUp({ 'page.html': '{{ 1 }}{% block a %}{{ super() }}{% endblock %}' })
    t.throws(() => renderer.renderTemplate('page.html', {}), { code: 'FST_CHIRP_RENDER', message: 'Cannot render "page.html": no super block available for "a"' })
  })
})
