// What is asynchronous in templates, and what of it fails.
import t from 'tap'
import { quiet } from '../helpers/app.js'
import { addAsyncFilters, asyncLoader, outcome, setUp, strict, WaitTag } from '../helpers/renderer.js'

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
    const wait = setTimeout(() => {}, 60000)
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
    const wait = setTimeout(() => {}, 60000)
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
    await quiet(5)
  })
})
