// The grammar of paths.
import t from 'tap'
import { canonicalPath, covers, meets, parsePath, stepOf } from '../../dist/render/path.js'

t.test('canonical forms', t => {
  const forms = {
    '*': '*', tasks: 'tasks', 'ticket.lines[].price': 'ticket.lines[].price', 'tasks[3].title': 'tasks[].title', 'tasks.3.title': 'tasks[].title', 'a[][1]': 'a[][]', 'a.first-name': 'a.first-name', 'größe.$x': 'größe.$x'
  }
  for (const [path, form] of Object.entries(forms)) t.equal(canonicalPath(path), form, path)
  for (const path of ['', '.', 'a.', '.a', 'a..b', '[]', '[0].a', '3', 'a[b]', 'a["b"]', 'a[', 'a]', 'a b', 'a.*', '**', 'a[]b', 'a.[]', ' a', undefined, null, 7, {}]) {
    t.equal(canonicalPath(path), undefined, String(path))
  }
  t.same(parsePath('a.b[2]'), ['a', 'b', '[]'])
  t.same(['a', 'a b', '0', '', 'x[', Symbol('s'), 3].map(stepOf), ['a', '[]', '[]', '[]', '[]', '[]', '[]'])
  t.end()
})

t.test('a change meets what is above and below it', t => {
  const yes = [
    ['ticket.lines', 'ticket.lines[].price'], ['a', 'a'], ['a[3].b', 'a[].b'], ['a.x', 'a[]'], ['*', 'a.b'], ['no path', 'a']
  ]
  const no = [['a', 'b'], ['a.b', 'a.c'], ['a.b.c', 'a.d'], ['a[].x', 'a[].y'], ['ab', 'a']]
  for (const [a, b] of yes) t.same([meets(a, b), meets(b, a)], [true, true], `${a} and ${b}`)
  for (const [a, b] of no) t.same([meets(a, b), meets(b, a)], [false, false], `${a} and ${b}`)
  t.end()
})

t.test('a path covers what is in it', t => {
  for (const [a, b] of [['a', 'a.b'], ['a', 'a'], ['a[]', 'a.b'], ['*', 'a']]) t.equal(covers(a, b), true, `${a} ${b}`)
  for (const [a, b] of [['a.b', 'a'], ['a.b', 'a[]'], ['a', 'b'], ['a', '*']]) t.equal(covers(a, b), false, `${a} ${b}`)
  t.end()
})
