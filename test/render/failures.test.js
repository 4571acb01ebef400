// What the errors of a render say: what failed, where, and what is undefined.
import t from 'tap'
import { addAsyncFilters, outcome, setUp, ShoutTag, strict } from '../helpers/renderer.js'

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
