// Which expressions of the source the checker takes for a reply.
import t from 'tap'
import { findings } from '../helpers/contracts.js'

const PAGE = '<p></p>'

/** The names that the checker says do not exist. */
async function unknown (t, source) {
  const { issues } = await findings(t, { templates: PAGE, source })
  return issues.filter(({ category }) => category === 'fragment').map(({ message }) => /"(.+?)"/.exec(message)[1]).sort()
}

const FOUND = {
  'the second parameter of a handler': "app.get('/', (q, r) => r.page('no.html'))",
  'a chain, and the options of a route': "app.post('/', { schema }, async function (q, r) { return r.code(200).type('x').page('no.html') })",
  'a route as an object': "app.route({ url: '/', handler: (q, r) => r.page('no.html') })",
  'a method of an object': "app.route({ url: '/', handler (q, r = x) { r.page('no.html') } })",
  'hooks of a route': "app.get('/', { preHandler: [null, (q, r) => r.page('no.html')] }, show)",
  'a hook of the app': "app.addHook('onRequest', async (q, r) => { r.page('no.html') })",
  'an error handler': "app.setErrorHandler((e, q, r) => r.page('no.html'))",
  'the error handler of a route': "app.get('/', { errorHandler: (e, q, r) => r.page('no.html') }, show)",
  'a not-found handler': "app.setNotFoundHandler((q, r) => r.page('no.html'))",
  'a handler with a name': "const show = (q, r) => r.page('no.html')\napp.get('/', show)",
  'a function that is declared later': "app.get('/', show)\nfunction show (q, r) { return r.page('no.html') }",
  'a handler in a wrapper': "app.get('/', guarded((q, r) => r.page('no.html')))",
  'handlers in an object': "const pages = { show (q, r) { r.page('no.html') } }\napp.get('/', pages.show)",
  'a reply under another name': "app.get('/', (q, r) => { const other = r.code(200); other.page('no.html') })",
  'what it is handed on to': "app.get('/', (q, r) => show(1, r))\nfunction show (x, to) { return deeper(to.code(200)) }\nconst deeper = y => y.page('no.html')",
  'what a reply by its name is handed on to': "export const handle = (request, reply) => show(reply)\nconst show = z => z.page('no.html')",
  'functions that call each other': "app.get('/', (q, r) => a(r))\nfunction a (x) { b(x) }\nfunction b (y) { a(y); y.page('no.html') }",
  'an inner function': "app.get('/', (q, r) => { later(() => { r.page('no.html') }) })",
  'a name that is a parameter elsewhere, too': "app.get('/', (q, r) => r.page('no.html'))\nexport const other = r => r + 1",
  TypeScript: { 'app.ts': "app.get('/', (q: Request, r: Reply) => (r as any).page('no.html'))" }
}

const ALONE = {
  'a parameter of any other function': "pdf.each((doc, r) => r.page('no.html'))\nitems.map((a, b) => b.page('no.html'))",
  'the first parameter': "app.get('/', (q, r) => q.page('no.html'))",
  'a parameter that hides it': "app.get('/', (q, r) => list.map(r => r.page('no.html')))",
  'a variable that hides it': "app.get('/', (q, r) => { { const r = 1 }\n let s = 2, [u] = v\n s.page('no.html'); u.page('no.html') })",
  'a name that is declared twice': "app.get('/', (q, r) => { var r = 1; r.page('no.html') })",
  'what it only gives a value of': "app.get('/', (q, r) => show(r.request))\nconst show = x => x.page('no.html')",
  'what is taken out of it': "app.get('/', (q, { page, ...rest }) => { page('no.html'); rest.page('no.html') })\napp.get('/', (q, ...r) => r.page('no.html'))",
  'a method that is computed': "app.get('/', (q, r) => r[page]('no.html'))\napp[get]('/', (q, r) => r.page('no.html'))",
  'calls of other things': "cache.get((q, r) => r.page('no.html'))\napp.addHook('onClose', (q, r) => r.page('no.html'))\nnew Map().get()\ngone(1)\napp.get('/', pages[show])\napp.get('/', gone.show)\napp.get('/', this.show)",
  'constants that are each other': "const a = b\nconst b = a\na.page('no.html')\napp.get('/', a)\nlet c\nclass D {}\ntry {} catch {}\ntry {} catch (e) { e.page('no.html') }\nconst f = () => {}\napp.get('/', f.page)"
}

t.test('a reply is known wherever it goes', async t => {
  for (const [title, source] of Object.entries(FOUND)) t.same(await unknown(t, source), ['no.html'], title)
})

t.test('nothing else is a reply', async t => {
  for (const [title, source] of Object.entries(ALONE)) t.same(await unknown(t, source), [], title)
})

t.test('a reply is followed into other files', async t => {
  const page = name => `{ return x.page('${name}') }`
  const source = {
    'app.js': [
      "import { one, two as renamed, three, four } from './views.js'",
      "import five from './views.js'",
      "import * as views from './more'",
      "import { gone } from './gone.js'",
      "import { away } from 'elsewhere'",
      "import { round } from './round.js'",
      "const common = require('./common.cjs')",
      "const { nine, ['x']: computed, inner: { deep }, ...others } = require('./common.cjs')",
      "app.get('/', (q, r) => { one(r); renamed(r); three(r); four(r); five(r); views.six(r); common.eight(r); nine(r); gone(r); away(r); round(r); views.none(r); ten(r) })",
      "app.get('/', views.seven)",
      "const { ten } = await import('./more')",
      "app.get('/', common.eleven)"
    ].join('\n'),
    'views.js': [
      `export function one (x) ${page('1')}`,
      `const two = x => ${page('2')}\nexport { two }`,
      `export const three = x => ${page('3')}, { unused } = {}`,
      "export { inner as four } from './more/index.js'",
      `export default x => ${page('5')}`,
      'export class Unused {}',
      "export * from './more/index.js'"
    ].join('\n'),
    'more/index.ts': `export function inner (x: Reply) ${page('4')}\nexport const six = (x) => ${page('6')}\nexport const seven = (q, x) => ${page('7')}\nexport async function ten (x) ${page('a')}`,
    'round.js': "export { round } from './round.js'",
    'common.cjs': [
      `exports.eight = x => ${page('8')}`,
      `module.exports = { nine (x) ${page('9')}, [y]: 1, ...z }`,
      `module.exports.eleven = function (q, x) ${page('b')}`,
      'module[exports].no = other.thing = a.b.c = 1'
    ].join('\n')
  }
  t.same(await unknown(t, source), ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b'])
})
