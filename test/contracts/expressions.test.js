// What the checker makes of expressions in templates, and of names in source.
import { openSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findings } from '../helpers/contracts.js'

const command = fileURLToPath(new URL('../../dist/contracts/cli.js', import.meta.url))

async function messages (t, templates, source) {
  const { issues } = await findings(t, { templates, source })
  return issues.map(({ category, message }) => `${category}: ${message}`)
}

t.test('parentheses around a text change nothing', async t => {
  const [message] = await messages(t, '<p {{ sse_connect(("/nope")) }}></p>')
  t.match(message, /^link: .*\/nope/)
})

t.test('parentheses around several values are not a text', async t => {
  const found = await messages(t, '<p {{ sse_connect(("/nope", "/no")) }}></p>')
  t.same(found.filter(message => message.startsWith('link')), [])
})

t.test('a text that is put together too deeply is taken for anything', async t => {
  const deep = '"a" ~ ('.repeat(300) + '"b"' + ')'.repeat(300)
  t.same(await messages(t, `<p {{ sse_connect(${deep}) }}></p>`), [])
})

t.test('an id that begins with a value is known by its end', async t => {
  const page = '<html><head></head><body><p id="{{ row }}-row"></p><button hx-get="/" hx-target="#'
  const missing = async id => (await messages(t, `${page}${id}"></button>`)).filter(message => message.startsWith('missing-target'))
  t.same(await missing('x7-row'), [])
  t.equal((await missing('x7-line')).length, 1)
})

t.test('a function that a file exports by its declaration is followed', async t => {
  t.match(await messages(t, '<p></p>', {
    'app.js': "import { show } from './show.js'\napp.get('/', (q, r) => show(r))",
    'show.js': "export function show (x) { return x.page('no.html') }\nexport class Other {}"
  }), [/^fragment: .*no\.html/])
})

t.test('a command whose output cannot be written fails', { skip: process.platform !== 'linux' && 'there is no /dev/full' }, async t => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [command, '--help'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
  t.not(status, 0)
  t.match(stderr, /ENOSPC/)
})
