import { writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fastifyView from '@fastify/view'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import t from 'tap'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'

const FIXTURES = fileURLToPath(new URL('../fixtures/render', import.meta.url))

// Templates by name; relative names as with Nunjucks' own loader.
function memoryLoader (templates, extra = {}) {
  return {
    isRelative: name => name.startsWith('./') || name.startsWith('../'),
    resolve: (from, to) => resolve('/', from, '..', to).slice(1),
    getSource: name => Object.hasOwn(templates, name) ? { src: templates[name], path: name, noCache: false } : null,
    ...extra
  }
}

function asyncLoader (templates, delay = 1) {
  return {
    async: true,
    getSource (name, callback) {
      setTimeout(() => callback(null, Object.hasOwn(templates, name) ? { src: templates[name], path: name, noCache: false } : null), delay)
    }
  }
}

function setUp (templates, { opts = {}, configure = () => {}, loader = memoryLoader(templates), ...options } = {}) {
  const env = new nunjucks.Environment(loader, opts)
  configure(env)
  return { env, renderer: createRenderer({ templates: env, debug: false, ...options }) }
}

// What a call gives: its HTML, or code, message and cause of its error.
async function outcome (run) {
  try {
    return await run()
  } catch (error) {
    return { code: error.code, message: error.message, cause: error.cause === undefined ? undefined : `${error.cause?.name}: ${error.cause?.message}` }
  }
}

const strict = { opts: { throwOnUndefined: true } }

class ShoutTag {
  tags = ['shout']

  parse (parser, nodes) {
    const token = parser.nextToken()
    const args = parser.parseSignature(true, true)
    parser.advanceAfterBlockEnd(token.value)
    const body = parser.parseUntilBlocks('endshout')
    parser.advanceAfterBlockEnd()
    return new nodes.CallExtension(this, 'run', args, [body])
  }

  run (context, ...args) {
    const body = args.pop()
    return new nunjucks.runtime.SafeString(body().toUpperCase() + (args[0] ?? ''))
  }
}

class WaitTag {
  tags = ['wait']

  parse (parser, nodes) {
    const token = parser.nextToken()
    const args = parser.parseSignature(true, true)
    parser.advanceAfterBlockEnd(token.value)
    return new nodes.CallExtensionAsync(this, 'run', args)
  }

  run (context, value, callback) {
    setTimeout(() => callback(value === 'fail' ? new RangeError('tag failed') : null, value), 1)
  }
}

// Filters that answer by callback, in every manner.
function addAsyncFilters (env) {
  env.addFilter('later', (value, callback) => { setTimeout(() => callback(null, value), 1) }, true)
  env.addFilter('now', (value, callback) => { callback(null, value) }, true)
  env.addFilter('twice', (value, callback) => { callback(null, value); callback(null, 'again') }, true)
  env.addFilter('failing', (value, callback) => { setTimeout(() => callback(new RangeError(`no ${value}`)), 1) }, true)
  env.addFilter('throwing', () => { throw new TypeError('thrown at once') }, true)
  env.addFilter('rejecting', async value => { throw value }, true)
  env.addFilter('silent', () => {}, true)
  env.addFilter('boom', value => { throw new TypeError(`boom ${value}`) })
}

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

t.test('reports what fails', async t => {
  const cases = [
    {
      name: 'a template that does not exist',
      template: 'none.html',
      templates: {},
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND',
      message: 'Template "none.html" was not found'
    },
    {
      name: 'a parent that does not exist',
      templates: { 'page.html': '\n{% extends "none.html" %}' },
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND',
      message: 'Template "none.html" was not found. It is named in "page.html", line 2, column 4'
    },
    {
      name: 'an include that does not exist',
      templates: { 'page.html': '{% block a %}\n{% include "none.html" %}{% endblock %}' },
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND',
      message: 'Template "none.html" was not found. It is named in "page.html", line 2, column 4'
    },
    {
      name: 'a block that does not exist',
      templates: { 'page.html': '{% extends "base.html" %}{% block b %}{% endblock %}', 'base.html': '{% block b %}{% endblock %}{% block c %}{% endblock %}' },
      code: 'FST_CHIRP_BLOCK_NOT_FOUND',
      message: 'Template "page.html" has no block "a"; it has "b", "c"'
    },
    {
      name: 'a block that a template without blocks does not have',
      templates: { 'page.html': 'text' },
      code: 'FST_CHIRP_BLOCK_NOT_FOUND',
      message: 'Template "page.html" has no block "a"; it has no blocks'
    },
    {
      name: 'a block that does not exist because a condition does not extend',
      templates: { 'page.html': '{% if full %}{% extends "base.html" %}{% endif %}', 'base.html': '{% block a %}{% endblock %}' },
      code: 'FST_CHIRP_BLOCK_NOT_FOUND',
      message: 'Template "page.html" has no block "a"; it has no blocks'
    },
    {
      name: 'an inherited property for a block',
      block: 'constructor',
      templates: { 'page.html': '{% block a %}{% endblock %}' },
      code: 'FST_CHIRP_BLOCK_NOT_FOUND',
      message: 'Template "page.html" has no block "constructor"; it has "a"'
    },
    {
      name: 'the prototype for a block',
      block: '__proto__',
      templates: { 'page.html': '{% block a %}{% endblock %}' },
      code: 'FST_CHIRP_BLOCK_NOT_FOUND',
      message: 'Template "page.html" has no block "__proto__"; it has "a"'
    },
    {
      name: 'templates that extend each other',
      templates: { 'page.html': '{% extends "other.html" %}', 'other.html': '\n  {% extends "page.html" %}{% block a %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" ("other.html", line 2, column 6): templates extend each other in a circle: page.html -> other.html -> page.html',
      cause: 'Error: templates extend each other in a circle: page.html -> other.html -> page.html'
    },
    {
      name: 'a tag that does not exist',
      templates: { 'page.html': 'x\n  {% nope %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 6): unknown block tag: nope',
      cause: 'Template render error: unknown block tag: nope'
    },
    {
      name: 'a tag that does not exist in the parent',
      templates: { 'page.html': '{% extends "base.html" %}', 'base.html': '\n{% nope %}' },
      message: 'Cannot render block "a" of "page.html" ("base.html", line 2, column 4): unknown block tag: nope',
      cause: 'Template render error: unknown block tag: nope'
    },
    {
      name: 'a tag that is not closed in an include',
      templates: { 'page.html': '{% block a %}{% include "part.html" %}{% endblock %}', 'part.html': '\n\n{% if x %}' },
      message: 'Cannot render block "a" of "page.html" ("part.html"): parseIf: expected elif, else, or endif, got end of file',
      cause: 'Template render error: parseIf: expected elif, else, or endif, got end of file'
    },
    {
      name: 'a block that is defined twice',
      templates: { 'page.html': '{% block a %}{% endblock %}{% block a %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html": Block "a" defined more than once.',
      cause: 'Error: Block "a" defined more than once.'
    },
    {
      name: 'a filter that throws',
      templates: { 'page.html': '{% block a %}\n\n  {{ x }} {{ x | boom }}{% endblock %}' },
      context: { x: 1 },
      message: 'Cannot render block "a" of "page.html" (line 3, column 11): boom 1',
      cause: 'TypeError: boom 1'
    },
    {
      name: 'a filter that throws in the parent',
      templates: { 'page.html': '{% extends "base.html" %}', 'base.html': '\n{% block a %}{{ 2 | boom }}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" ("base.html", line 2, column 14): boom 2',
      cause: 'TypeError: boom 2'
    },
    {
      name: 'a filter that throws on the way to the block',
      templates: { 'page.html': '\n{% set x = 3 | boom %}{% block a %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 4): boom 3',
      cause: 'TypeError: boom 3'
    },
    {
      name: 'a filter that throws in an include',
      templates: { 'page.html': '{% block a %}{% include "part.html" %}{% endblock %}', 'part.html': '\n\n{% if 4 | boom %}{% endif %}' },
      message: 'Cannot render block "a" of "page.html" ("part.html", line 3, column 4): boom 4',
      cause: 'TypeError: boom 4'
    },
    {
      name: 'a filter that throws after an include',
      templates: { 'page.html': '{% block a %}{% include "part.html" %}\n{{ 5 | boom }}{% endblock %}', 'part.html': '{{ 1 }}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 1): boom 5',
      cause: 'TypeError: boom 5'
    },
    {
      name: 'a filter that throws after a macro',
      templates: { 'page.html': '{% macro m(x) %}\n{{ x }}{% endmacro %}{% block a %}\n\n{% for n in m(1) | boom %}{% endfor %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 4, column 4): boom \n1',
      cause: 'TypeError: boom \n1'
    },
    {
      name: 'a filter that throws in an imported macro',
      templates: { 'page.html': '{% from "macros.html" import m %}{% block a %}{{ m(6) }}{% endblock %}', 'macros.html': '{% macro m(x) %}\n\n{{ x | boom }}{% endmacro %}' },
      message: 'Cannot render block "a" of "page.html" ("macros.html", line 3, column 1): boom 6',
      cause: 'TypeError: boom 6'
    },
    {
      name: 'a filter that throws in a switch',
      templates: { 'page.html': '{% block a %}{% switch 1 %}{% case 1 %}\n{{ 7 | boom }}{% endswitch %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 1): boom 7',
      cause: 'TypeError: boom 7'
    },
    {
      name: 'a filter that does not exist',
      templates: { 'page.html': '{% block a %}\n{{ x | nope }}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 1): filter not found: nope',
      cause: 'Error: filter not found: nope'
    },
    {
      name: 'a call of what is no function',
      templates: { 'page.html': '{% block a %}\n{{ user.greet() }}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 1): Unable to call `user["greet"]`, which is undefined or falsey',
      cause: 'Error: Unable to call `user["greet"]`, which is undefined or falsey'
    },
    {
      name: 'a function of the context that throws what is no error',
      templates: { 'page.html': '{% block a %}{{ f() }}{% endblock %}' },
      context: { f () { throw 'a string' } }, // eslint-disable-line no-throw-literal
      message: 'Cannot render block "a" of "page.html" (line 1, column 14): a string',
      cause: 'undefined: undefined'
    },
    {
      name: 'a function of the context that throws null',
      templates: { 'page.html': '{% block a %}{{ f() }}{% endblock %}' },
      context: { f () { throw null } }, // eslint-disable-line no-throw-literal
      message: 'Cannot render block "a" of "page.html" (line 1, column 14): null',
      cause: 'undefined: undefined'
    },
    {
      name: 'a tag of the environment that throws',
      configure: env => env.addExtension('shout', Object.assign(new ShoutTag(), { run () { throw new TypeError('tag failed') } })),
      templates: { 'page.html': '{% block a %}\n{% shout x, 1 %}y{% endshout %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 10): tag failed',
      cause: 'TypeError: tag failed'
    },
    {
      name: 'a tag of the environment that has no place',
      configure: env => env.addExtension('bare', {
        tags: ['bare'],
        parse (parser, nodes) {
          parser.advanceAfterBlockEnd()
          return new nodes.CallExtension(this, 'run')
        },
        run () { throw new TypeError('tag failed') }
      }),
      templates: { 'page.html': '{% block a %}{% include "part.html" %}{% endblock %}', 'part.html': '\n{% bare %}' },
      message: 'Cannot render block "a" of "page.html" ("part.html"): tag failed',
      cause: 'TypeError: tag failed'
    },
    {
      name: 'a loader that throws',
      templates: new Proxy({}, { getOwnPropertyDescriptor () { throw new TypeError('loader failed') } }),
      message: 'Cannot render block "a" of "page.html": loader failed',
      cause: 'TypeError: loader failed'
    },
    {
      name: 'super() without a parent',
      templates: { 'page.html': '{% block a %}{{ super() }}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html": no super block available for "a"',
      cause: 'Error: no super block available for "a"'
    },
    {
      name: 'a template whose name is no string',
      templates: { 'page.html': '{% block a %}\n{% include 5 %}{% endblock %}' },
      message: 'Cannot render block "a" of "page.html" (line 2, column 4): template names must be a string: 5',
      cause: 'Error: template names must be a string: 5'
    },
    {
      name: 'a name that a template does not export',
      templates: { 'page.html': '{% from "macros.html" import nope %}{% block a %}{% endblock %}', 'macros.html': '' },
      message: 'Cannot render block "a" of "page.html" (line 1, column 4): cannot import \'nope\'',
      cause: 'Error: cannot import \'nope\''
    }
  ]
  for (const { name, template = 'page.html', block = 'a', templates, context = {}, configure = () => {}, code = 'FST_CHIRP_RENDER', message, cause } of cases) {
    t.test(name, async t => {
      const { renderer } = setUp(templates, { configure: env => { addAsyncFilters(env); configure(env) } })
      t.strictSame(await outcome(() => renderer.renderBlock(template, block, context)), { code, message, cause })
      t.throws(() => renderer.renderBlock(template, block, context), { code, message }, 'at once, and again')
    })
  }
})

t.test('names what is undefined', async t => {
  const cases = [
    ['{{ users }}', {}, "'users' is undefined"],
    ['{{ users }}', { users: null }, "'users' is null"],
    ['{{ user.name.first }}', {}, "'user' is undefined"],
    ['{{ user.name.first }}', { user: {} }, "'user.name' is undefined"],
    ['{{ user.name.first }}', { user: { name: null } }, "'user.name' is null"],
    ['{{ user.name.first }}', { user: { name: {} } }, "'user.name.first' is undefined"],
    ['{{ users[0]["full name"][key] }}', { users: [{}], key: 'x' }, "'users[0][\"full name\"]' is undefined"],
    ['{{ users[0].names[key] }}', { users: [{ names: {} }], key: 'x' }, "'users[0].names[key]' is undefined"],
    ['{{ users | first }}', { users: [] }, "'users | first' is undefined"],
    ['{{ find(1, "a").name }}', { find: () => undefined }, "'find(1, \"a\")' is undefined"],
    ['{{ users | pick(1, key="x") }}', {}, "'users | pick(1, ...)' is undefined"],
    ['{{ none }}', {}, "'none' is null"],
    ['{{ a if yes else b }}', { yes: true }, "'a' is undefined"],
    ['{{ a if yes else b }}', {}, "'b' is undefined"],
    ['{{ a or b }}', {}, "'b' is undefined"],
    ['{{ a and b }}', { a: 1 }, "'b' is undefined"],
    ['{{ (a) }}', {}, "'a' is undefined"],
    ['{{ (a, b) }}', {}, "'b' is undefined"],
    ['{{ (a if no).b }}', {}, "'(...).b' is undefined"],
    ['{% set x %}{{ y }}{% endset %}', {}, "'y' is undefined"],
    ['{% filter upper %}{{ y }}{% endfilter %}', {}, "'y' is undefined"],
    ['{% for n in [1] %}{{ n }}{{ m }}{% endfor %}', {}, "'m' is undefined"]
  ]
  for (const [source, context, message] of cases) {
    t.test(`${source} with ${JSON.stringify(context)}`, async t => {
      const { renderer } = setUp({ 'page.html': `{% block a %}\n${source}{% endblock %}` }, { ...strict, configure: env => env.addFilter('pick', () => undefined) })
      const result = await outcome(() => renderer.renderBlock('page.html', 'a', context))
      t.equal(result.code, 'FST_CHIRP_RENDER')
      t.equal(result.cause, `UndefinedError: ${message}`)
      t.match(result.message, /^Cannot render block "a" of "page\.html" \(line 2, column \d+\): /)
    })
  }

  t.test('in an include, with its place', async t => {
    const { renderer } = setUp({ 'page.html': '{% include "part.html" %}', 'part.html': '\n {{ x }}' }, strict)
    t.strictSame(await outcome(() => renderer.renderTemplate('page.html', {})), {
      code: 'FST_CHIRP_RENDER', message: 'Cannot render "page.html" ("part.html", line 2, column 2): \'x\' is undefined', cause: 'UndefinedError: \'x\' is undefined'
    })
  })

  t.test('nowhere if the environment does not throw', async t => {
    const { renderer } = setUp({ 'page.html': '[{{ users }}{{ user.name.first }}]' })
    t.equal(renderer.renderTemplate('page.html', {}), '[]')
  })
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

t.test('renders what is asynchronous', async t => {
  const cases = [
    ['a filter that answers later', '{{ x | later }} {{ y }}', '&lt;1&gt; 2'],
    ['a filter in a condition', '{% if x | later %}yes{% endif %}', 'yes'],
    ['a filter in a loop', '{% for n in [1, 2] %}{{ n | later }}{% endfor %}', '12'],
    ['a filter in a setting', '{% set z = y | later %}{{ z }}', '2'],
    ['parallel loops', '{% asyncAll n in [1, 2] %}{{ n | later }}{% endall %}', '12'],
    ['filters in an include', '[{% include "part.html" %}]', '[(2)]'],
    ['tags', '{% wait y %}', '2'],
    ['a filter that answers twice', '{{ x | later }}{{ y | twice }}', '&lt;1&gt;2']
  ]
  for (const [name, source, html] of cases) {
    t.test(name, async t => {
      const templates = { 'page.html': `{% block b %}{{ 1 | silent }}{% endblock %}{% block a %}${source}{% endblock %}`, 'part.html': '({{ y | later }})' }
      const { renderer } = setUp(templates, { configure: env => { addAsyncFilters(env); env.addExtension('wait', new WaitTag()) } })
      const result = renderer.renderBlock('page.html', 'a', { x: '<1>', y: 2 })
      t.type(result, Promise)
      t.equal(await result, html)
    })
  }

  t.test('on the way to the block', async t => {
    const { renderer } = setUp({
      'page.html': '{% set x = 1 | later %}{% extends "base.html" %}',
      'base.html': '{% set y = 2 | later %}{% block outer %}{% set z = 3 | later %}{% block a %}{{ x }}{{ y }}{{ z }}{% endblock %}{% endblock %}'
    }, { configure: addAsyncFilters })
    t.equal(await renderer.renderBlock('page.html', 'a', {}), '123')
  })

  t.test('with a string when filters answer at once', async t => {
    const { renderer } = setUp({ 'page.html': '{% block a %}{{ x | now }}{{ x | twice }}{% endblock %}' }, { configure: addAsyncFilters })
    t.equal(renderer.renderBlock('page.html', 'a', { x: 1 }), '11')
  })

  t.test('with filters where Nunjucks cannot wait', async t => {
    const configure = env => env.addFilter('maybe', (value, callback) => typeof callback === 'function' ? callback(null, value) : value, true)
    const { renderer } = setUp({ 'page.html': '{% block a %}{% include "part" | maybe %}{% endblock %}', part: 'part' }, { configure })
    t.equal(renderer.renderBlock('page.html', 'a', {}), 'part')
  })

  t.test('with a loader that answers later', async t => {
    const templates = {
      'page.html': '{% extends "base.html" %}{% from "macros.html" import bold %}{% block a %}{{ bold(1) }}{% include "part.html" %}{% endblock %}',
      'base.html': '{% block a %}{% endblock %}',
      'macros.html': '{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}',
      'part.html': '\n\n{{ x }}'
    }
    const { renderer } = setUp(templates, { loader: asyncLoader(templates), ...strict })
    t.equal(await renderer.renderBlock('page.html', 'a', { x: 1 }), '<b>1</b>\n\n1')
    t.strictSame(await outcome(() => renderer.renderBlock('none.html', 'a', {})), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: 'Template "none.html" was not found', cause: undefined })
    t.strictSame(await outcome(() => renderer.renderBlock('page.html', 'a', {})), {
      code: 'FST_CHIRP_RENDER', message: 'Cannot render block "a" of "page.html" ("part.html", line 3, column 1): \'x\' is undefined', cause: 'UndefinedError: \'x\' is undefined'
    })
  })

  t.test('with a loader that fails', async t => {
    const loader = { async: true, getSource: (name, callback) => { setTimeout(() => callback(new Error('disk on fire')), 1) } }
    const { renderer } = setUp({}, { loader })
    t.strictSame(await outcome(() => renderer.renderBlock('page.html', 'a', {})), { code: 'FST_CHIRP_RENDER', message: 'Cannot render block "a" of "page.html": disk on fire', cause: 'Error: disk on fire' })
  })

  t.test('50 times at the same time', async t => {
    const { renderer } = setUp({ 'page.html': '{% block a %}{{ x | later }}{% set y = x %}{{ x | later }}{{ y }}\n{{ z }}{% endblock %}' }, { configure: addAsyncFilters, ...strict })
    const results = await Promise.all(Array.from({ length: 50 }, (_, x) => outcome(() => renderer.renderBlock('page.html', 'a', x % 2 === 0 ? { x, z: '' } : { x }))))
    t.strictSame(results, Array.from({ length: 50 }, (_, x) => x % 2 === 0
      ? `${x}${x}${x}\n`
      : { code: 'FST_CHIRP_RENDER', message: 'Cannot render block "a" of "page.html" (line 2, column 1): \'z\' is undefined', cause: 'UndefinedError: \'z\' is undefined' }))
  })
})

t.test('reports what fails later', async t => {
  const cases = [
    ['a filter that answers with an error', '\n{{ 1 | failing }}', 'no 1', 'RangeError'],
    ['a filter that throws at once', '\n{{ 1 | throwing }}', 'thrown at once', 'TypeError'],
    ['a filter that rejects', '\n{{ error | rejecting }}', 'rejected', 'RangeError'],
    ['a filter that rejects without a reason', '\n{{ nothing | rejecting }}', 'rejected without a reason', 'Error'],
    ['a tag that answers with an error', '\n{% wait "fail" %}', 'tag failed', 'RangeError'],
    ['what throws after a filter that answered later', '{{ 1 | later }}\n{{ 2 | boom }}', 'boom 2', 'TypeError'],
    ['what throws after a filter that answered at once', '{{ 1 | now }}\n{{ 2 | boom }}', 'boom 2', 'TypeError'],
    ['what throws after a filter in an include', '{% include "part.html" %}\n{{ 2 | boom }}', 'boom 2', 'TypeError'],
    ['what throws in a loop after a filter', '{% for n in [1] %}{{ n | later }}\n{{ 2 | boom }}{% endfor %}', 'boom 2', 'TypeError'],
    ['what throws in a condition after a filter', '{% if 1 | later %}\n{{ 2 | boom }}{% endif %}', 'boom 2', 'TypeError'],
    ['all items of a parallel loop', '{% asyncAll n in [1, 1] %}\n{{ n | failing }}{% endall %}', 'no 1', 'RangeError'],
    ['a value that is no text', '{{ 1 | later }}\n{{ bare | later }}', 'val.toString is not a function', 'TypeError']
  ]
  for (const [name, source, message, type] of cases) {
    t.test(name, async t => {
      const templates = { 'page.html': `{% block a %}${source}{% endblock %}`, 'part.html': '{{ 1 | later }}' }
      const { renderer } = setUp(templates, { configure: env => { addAsyncFilters(env); env.addExtension('wait', new WaitTag()) } })
      const result = await outcome(() => renderer.renderBlock('page.html', 'a', { error: new RangeError('rejected'), bare: Object.create(null) }))
      t.equal(result.code, 'FST_CHIRP_RENDER')
      t.match(result.message, new RegExp(`^Cannot render block "a" of "page\\.html" \\(line 2, column \\d+\\): ${message}$`))
      t.equal(result.cause, `${type}: ${message}`)
    })
  }

  t.test('a filter that never answers', async t => {
    const { renderer } = setUp({ 'page.html': '{% block a %}\n{{ 1 | silent }}{% endblock %}' }, { configure: addAsyncFilters, filterTimeout: 20 })
    const wait = setTimeout(() => {}, 1000)
    t.strictSame(await outcome(() => renderer.renderBlock('page.html', 'a', {})), {
      code: 'FST_CHIRP_RENDER_TIMEOUT',
      message: 'Cannot render block "a" of "page.html" (line 2, column 1): an async filter, tag or loader did not call back within 20 ms. Make it call back on every path, with an error if it must',
      cause: undefined
    })
    clearTimeout(wait)
  })

  t.test('a filter that answers too late, once', async t => {
    let answer
    const { renderer } = setUp({ 'page.html': '{% block a %}{{ 1 | slow }}{{ f() }}{% endblock %}' }, { configure: env => env.addFilter('slow', (value, callback) => { answer = callback }, true), filterTimeout: 5 })
    const wait = setTimeout(() => {}, 1000)
    const result = await outcome(() => renderer.renderBlock('page.html', 'a', { f () { t.fail('must not go on') } }))
    clearTimeout(wait)
    answer(null, 'late')
    t.equal(result.code, 'FST_CHIRP_RENDER_TIMEOUT')
  })

  t.test('without leaving a timer behind', async t => {
    const { renderer } = setUp({ 'page.html': '{% block a %}{{ 1 | later }}{{ 1 | failing }}{% endblock %}' }, { configure: addAsyncFilters })
    const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    await outcome(() => renderer.renderBlock('page.html', 'a', {}))
    t.equal(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length, before)
  })

  t.test('a filter that throws at once and answers all the same', async t => {
    const configure = env => env.addFilter('odd', (value, callback) => { setTimeout(() => callback(null, value), 1); throw new TypeError('odd') }, true)
    const { renderer } = setUp({ 'page.html': '{% block a %}{{ 1 | odd }}{{ f() }}{% endblock %}' }, { configure })
    t.throws(() => renderer.renderBlock('page.html', 'a', { f () { t.fail('must not go on') } }), { code: 'FST_CHIRP_RENDER', cause: { name: 'TypeError', message: 'odd' } })
    await sleep(5)
  })
})

t.test('renders templates of folders', async t => {
  const views = join(FIXTURES, 'views')

  t.test('in debug and in production', async t => {
    for (const debug of [true, false]) {
      const renderer = createRenderer({ templates: views, debug })
      t.equal(renderer.renderBlock('sub/page.html', 'main', { name: '<' }), '<b>&lt;</b>')
      t.equal(renderer.renderBlock('base.html', 'title', {}), 'Base')
      t.equal(renderer.renderTemplate('sub/page.html', { name: 1 }), '<title>Base</title>\n<main><b>1</b></main>\n')
    }
  })

  t.test('in the order of the list', async t => {
    const renderer = createRenderer({ templates: [join(FIXTURES, 'theme'), views], debug: false })
    t.equal(renderer.renderBlock('base.html', 'main', { name: 1 }), 'theme of 1')
    t.equal(renderer.renderBlock('sub/page.html', 'title', {}), 'Base')
  })

  t.test('with a folder relative to the process', async t => {
    const renderer = createRenderer({ templates: relative(process.cwd(), views), debug: false })
    t.equal(renderer.renderBlock('base.html', 'title', {}), 'Base')
  })

  t.test('and throws for undefined variables in debug only', async t => {
    t.throws(() => createRenderer({ templates: views, debug: true }).renderBlock('base.html', 'main', {}), {
      code: 'FST_CHIRP_RENDER',
      message: 'Cannot render block "main" of "base.html" (line 2, column 31): \'name\' is undefined',
      cause: { name: 'UndefinedError', message: "'name' is undefined" }
    })
    t.equal(createRenderer({ templates: views, debug: false }).renderBlock('base.html', 'main', {}), 'main of ')
  })

  t.test('and not from outside of them', async t => {
    const renderer = createRenderer({ templates: views, debug: false })
    t.throws(() => renderer.renderBlock('sub/page.html', 'secret', {}), {
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: 'Template "../../views-secret/secret.html" was not found. It is named in "sub/page.html", line 4, column 22'
    })
    t.throws(() => renderer.renderBlock('sub/page.html', 'folder', {}), {
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: 'Template "../sub" was not found. It is named in "sub/page.html", line 5, column 22'
    })
  })

  t.test('as they are on disk in debug', async t => {
    const folder = t.testdir({
      'page.html': '{% extends "base.html" %}{% block a %}page1{{ super() }}{% include "part.html" %}{% endblock %}',
      'base.html': '{% block a %}base1{% endblock %}',
      'part.html': 'part1'
    })
    const cached = createRenderer({ templates: folder, debug: false })
    const fresh = createRenderer({ templates: folder, debug: true })
    const first = 'page1base1part1'
    t.equal(cached.renderBlock('page.html', 'a', {}), first)
    t.equal(fresh.renderBlock('page.html', 'a', {}), first)
    t.equal(fresh.renderBlock('page.html', 'a', {}), first)

    writeFileSync(join(folder, 'page.html'), '{% extends "base.html" %}{% block a %}page2{{ super() }}{% include "part.html" %}{% endblock %}')
    t.equal(fresh.renderBlock('page.html', 'a', {}), 'page2base1part1', 'the child')
    writeFileSync(join(folder, 'base.html'), '{% block a %}base2{% endblock %}')
    t.equal(fresh.renderBlock('page.html', 'a', {}), 'page2base2part1', 'the parent')
    writeFileSync(join(folder, 'part.html'), 'part2')
    t.equal(fresh.renderBlock('page.html', 'a', {}), 'page2base2part2', 'the include')
    writeFileSync(join(folder, 'base.html'), '{% nope %}')
    t.throws(() => fresh.renderBlock('page.html', 'a', {}), { code: 'FST_CHIRP_RENDER' }, 'a mistake')
    writeFileSync(join(folder, 'base.html'), '{% block a %}base3{% endblock %}')
    t.equal(fresh.renderBlock('page.html', 'a', {}), 'page2base3part2', 'its correction')
    t.equal(cached.renderBlock('page.html', 'a', {}), first, 'not in production')
  })
})

t.test('shares an environment', async t => {
  t.test('without changing it', async t => {
    const templates = { 'page.html': '{% extends "base.html" %}{% block a %}{{ x | later }}{% endblock %}', 'base.html': '<{% block a %}{% endblock %}>' }
    const { env, renderer } = setUp(templates, { configure: addAsyncFilters })
    const snapshot = () => ({ keys: Object.keys(env), opts: { ...env.opts }, filters: Object.keys(env.filters), extensions: [...env.extensionsList], globals: Object.keys(env.globals), getTemplate: env.getTemplate })
    const before = snapshot()
    t.equal(await renderer.renderBlock('page.html', 'a', { x: 1 }), '1')
    t.strictSame(snapshot(), before)
    t.equal(env.getTemplate('page.html').env, env)
    t.equal(await new Promise((resolve, reject) => env.render('page.html', { x: 2 }, (error, html) => error ? reject(error) : resolve(html))), '<2>')
  })

  t.test('with @fastify/view, which renders the same templates', async t => {
    const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(join(FIXTURES, 'views')), { autoescape: true })
    const renderer = createRenderer({ templates: env, debug: true })
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } } })
    app.get('/', (request, reply) => reply.view('sub/page.html', { name: '<' }))
    const page = '<title>Base</title>\n<main><b>&lt;</b></main>\n'
    for (let round = 0; round < 2; round++) {
      t.equal(renderer.renderBlock('sub/page.html', 'main', { name: round }), `<b>${round}</b>`)
      t.equal((await app.inject('/')).body, page)
      t.equal(renderer.renderTemplate('sub/page.html', { name: '<' }), page)
    }
  })

  t.test('with filters and globals that come later', async t => {
    const { env, renderer } = setUp({ 'page.html': '{% block a %}{{ x | plus }}{{ site }}{% endblock %}' })
    t.throws(() => renderer.renderBlock('page.html', 'a', { x: 1 }), { message: 'Cannot render block "a" of "page.html" (line 1, column 14): filter not found: plus' })
    env.addFilter('plus', value => value + 1)
    env.addGlobal('site', '!')
    t.equal(renderer.renderBlock('page.html', 'a', { x: 1 }), '2!')
  })

  t.test('with filters that render templates themselves', async t => {
    const configure = env => {
      env.addFilter('render', function (name) { return new nunjucks.runtime.SafeString(this.env.render(name, this.getVariables())) })
      env.addFilter('template', function (name) { return this.env.getTemplate(name) })
    }
    const templates = { 'page.html': '{% block a %}{{ "part.html" | render }}{% include "part.html" | template %}{% endblock %}{% block b %}\n{{ "none.html" | render }}{% endblock %}', 'part.html': '[{{ x }}]' }
    const { renderer } = setUp(templates, { configure })
    t.equal(renderer.renderBlock('page.html', 'a', { x: '<' }), '[&lt;][&lt;]')
    t.strictSame(await outcome(() => renderer.renderBlock('page.html', 'b', {})), {
      code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: 'Template "none.html" was not found. It is named in "page.html", line 2, column 1', cause: undefined
    })
  })

  t.test('whose loader has nothing to give at once', async t => {
    const configure = env => env.addFilter('template', function (name) { return String(this.env.getTemplate(name)) })
    const templates = { 'page.html': '{% block a %}{{ "part.html" | template }}{% endblock %}', 'part.html': '' }
    const { renderer } = setUp(templates, { configure, loader: asyncLoader(templates) })
    t.equal(await renderer.renderBlock('page.html', 'a', {}), 'undefined')
  })

  t.test('with templates that have no path', async t => {
    const templates = { 'page.html': '{% block a %}{% include "./part.html" %}{% endblock %}', './part.html': '\n{{ 1 | boom }}' }
    const loader = { getSource: name => ({ src: templates[name], noCache: true }) }
    const { renderer } = setUp(templates, { loader, configure: addAsyncFilters })
    t.throws(() => renderer.renderBlock('page.html', 'a', {}), { message: 'Cannot render block "a" of "page.html" ("./part.html", line 2, column 1): boom 1' })
    t.throws(() => renderer.renderBlock('page.html', 'a', { t: 1 }), { message: 'Cannot render block "a" of "page.html" ("./part.html", line 2, column 1): boom 1' })
  })

  t.test('with a template object that fails', async t => {
    const part = new nunjucks.Template('\n{{ 1 | boom }}', new nunjucks.Environment([]))
    const { renderer } = setUp({ 'page.html': '{% block a %}{% include part %}{% endblock %}' }, { configure: addAsyncFilters })
    t.throws(() => renderer.renderBlock('page.html', 'a', { part }), { message: 'Cannot render block "a" of "page.html" ("template", line 2, column 1): boom 1' })
  })
})

t.test('renders precompiled templates', async t => {
  const sources = {
    'page.html': '{% extends "base.html" %}{% set x = 1 %}{% block a %}page {{ x }}{{ y }} {{ super() }}{% endblock %}{% block orphan %}orphan {{ x }}{% endblock %}',
    'base.html': '{% set y = 2 %}<i>{{ n }}</i>{% block outer %}({% block a %}base{% endblock %}{% block b %}b{% endblock %}){% endblock %}{% if no %}{% block hidden %}hidden {{ y }}{% endblock %}{% endif %}{{ 1 | boom if fail }}',
    'top.html': '{% extends "page.html" %}{% block outer %}[{{ super() }}]{% endblock %}'
  }
  const precompiled = name => {
    const code = nunjucks.precompileString(sources[name], { name, wrapper: ([{ template }]) => template })
    return new Function(code)() // eslint-disable-line no-new-func
  }
  for (const names of [['page.html', 'base.html'], ['page.html'], ['base.html']]) {
    t.test(names.join(' and '), async t => {
      const codes = new nunjucks.PrecompiledLoader(Object.fromEntries(names.map(name => [name, precompiled(name)])))
      const { renderer } = setUp({}, { loader: [codes, memoryLoader(sources)], configure: addAsyncFilters })
      t.equal(renderer.renderBlock('page.html', 'a', {}), 'page 12 base')
      t.equal(renderer.renderBlock('page.html', 'b', {}), 'b')
      t.equal(renderer.renderBlock('page.html', 'outer', {}), '(page 12 baseb)')
      t.equal(renderer.renderBlock('page.html', 'orphan', {}), 'orphan 1')
      t.equal(renderer.renderBlock('page.html', 'hidden', {}), 'hidden 2')
      t.equal(renderer.renderBlock('top.html', 'a', {}), 'page 12 base')
      t.throws(() => renderer.renderBlock('page.html', 'none', {}), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: 'Template "page.html" has no block "none"; it has "a", "orphan", "outer", "b", "hidden"' })
      t.equal(renderer.renderTemplate('page.html', { n: 0 }), '<i>0</i>(page 12 baseb)')
      t.throws(() => renderer.renderTemplate('page.html', { fail: true }), { code: 'FST_CHIRP_RENDER', cause: { name: 'TypeError', message: 'boom 1' } })
    })
  }
})

t.test('leaves the variables of the caller alone', async t => {
  const { renderer } = setUp({ 'page.html': '{% set x = 2 %}{% set y = 3 %}{% block a %}{% set z = 4 %}{{ x }}{{ y }}{% endblock %}' })
  const context = { x: 1 }
  t.equal(renderer.renderBlock('page.html', 'a', context), '23')
  t.equal(renderer.renderTemplate('page.html', context), '23')
  t.strictSame(context, { x: 1 })
})

t.test('refuses names of templates', async t => {
  const renderers = [createRenderer({ templates: join(FIXTURES, 'views'), debug: false }), setUp({}).renderer]
  const cases = [
    ['', 'Cannot load template "": the name must be a path inside the templates folder, such as "news/item.html"'],
    [undefined, 'Cannot load template of type undefined: the name must be a path inside the templates folder, such as "news/item.html"'],
    [['base.html'], 'Cannot load template of type object: the name must be a path inside the templates folder, such as "news/item.html"'],
    ['/base.html', 'Cannot load template "/base.html": the name must be relative to the templates folder'],
    ['C:/base.html', 'Cannot load template "C:/base.html": the name must be relative to the templates folder'],
    ['../views-secret/secret.html', 'Cannot load template "../views-secret/secret.html": the name must not contain ".."'],
    ['sub/../base.html', 'Cannot load template "sub/../base.html": the name must not contain ".."'],
    ['..\\views-secret\\secret.html', 'Cannot load template "..\\\\views-secret\\\\secret.html": the name must use / between folders, not \\'],
    ['base.html\0', 'Cannot load template "base.html\\u0000": the name must not contain a NUL character']
  ]
  for (const [name, message] of cases) {
    t.test(JSON.stringify(name) ?? 'undefined', async t => {
      for (const renderer of renderers) {
        t.throws(() => renderer.renderBlock(name, 'title', {}), { code: 'FST_CHIRP_TEMPLATE_NAME', message })
        t.throws(() => renderer.renderTemplate(name, {}), { code: 'FST_CHIRP_TEMPLATE_NAME', message })
      }
    })
  }
})

t.test('checks the option "templates"', async t => {
  const kinds = 'fastify-chirp: option "templates" must be a folder, a list of folders, or a nunjucks.Environment'
  const cases = [
    ['a folder that does not exist', 'no/such/folder', `fastify-chirp: option "templates" names a folder that does not exist: ${resolve('no/such/folder')}`],
    ['a file', join(FIXTURES, 'views/base.html'), `fastify-chirp: option "templates" names a folder that does not exist: ${join(FIXTURES, 'views/base.html')}`],
    ['one folder of a list that does not exist', [FIXTURES, 'none'], `fastify-chirp: option "templates" names a folder that does not exist: ${resolve('none')}`],
    ['an empty list', [], kinds],
    ['an empty string', '', kinds],
    ['a list of what is no folder', [1], kinds],
    ['a number', 1, kinds],
    ['null', null, kinds],
    ['an object that is no environment', { getTemplate () {} }, kinds],
    ['an environment that does not escape', new nunjucks.Environment([], { autoescape: false }), 'fastify-chirp: option "templates" is a nunjucks.Environment with autoescape off, which lets values inject HTML. Create it with { autoescape: true }']
  ]
  for (const [name, templates, message] of cases) {
    t.test(name, async t => {
      t.throws(() => createRenderer({ templates, debug: false }), { code: 'FST_CHIRP_OPTION', message })
    })
  }

  t.test('and fails on each call without it', async t => {
    const renderer = createRenderer({ debug: true })
    const error = { code: 'FST_CHIRP_NO_TEMPLATES', message: 'Cannot render "page.html": no templates are configured. Register the plugin with { templates: \'views\' } or with a nunjucks.Environment' }
    t.throws(() => renderer.renderBlock('page.html', 'a', {}), error)
    t.throws(() => renderer.renderTemplate('page.html', {}), error)
  })
})
