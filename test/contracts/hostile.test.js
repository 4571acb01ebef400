// Input that nobody writes by hand. One part that is too large is one finding,
// the rest is checked, and none of it takes long. Each case took minutes, all
// memory or the whole check at quadratic or exponential cost; the limit is far
// above what it takes now.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { cases } from '../helpers/hostile-cases.js'

const LIMIT = 60_000

let child

/** What is found, or an error; a process that takes too long is ended. */
async function check (title, folder) {
  child ??= fork(fileURLToPath(new URL('../helpers/hostile.js', import.meta.url)))
  const signal = AbortSignal.timeout(LIMIT)
  try {
    const answer = once(child, 'message', { signal })
    child.send({ title, folder })
    const [message] = await answer
    return message
  } catch {
    child.kill('SIGKILL')
    child = undefined
    return { error: `it took more than ${LIMIT / 1000} s` }
  }
}

t.test('hostile input', async t => {
  t.teardown(() => child?.disconnect())
  const home = t.testdir()
  for (const [index, title] of Object.keys(cases).entries()) {
    const { finds = [], lacks = [], isBroken = false } = cases[title]()
    const { found = [], error } = await check(title, join(home, String(index)))
    // The fault of the other template, and that of the source file where it can be read.
    const expected = ['link other.html', ...isBroken ? [] : ['fragment app.js'], ...finds]
    t.same({ error, missing: expected.filter(finding => !found.includes(finding)) }, { error: undefined, missing: [] }, title)
    t.same(lacks.filter(finding => found.includes(finding)), [], `${title}: nothing is left out`)
  }
})
