// Where templates come from: folders, environments of the app, precompiled ones; and what is refused.
import { writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyView from '@fastify/view'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import t from 'tap'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'
import { addAsyncFilters, asyncLoader, memoryLoader, outcome, setUp } from '../helpers/renderer.js'

const FIXTURES = fileURLToPath(new URL('../fixtures/render', import.meta.url))

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
