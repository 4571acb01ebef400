// A variable that is set and undefined is looked for in the context: each way
// to set one so, and each place that reads it later.
import t from 'tap'
import { pathsOf, touches } from '../../dist/render/reads.js'
import { record } from '../../dist/render/recording.js'
import { setUp } from '../helpers/renderer.js'
import { configure } from '../helpers/template-maker.js'

const shared = {
  lib: '{% if gone %}{% set gone = 1 %}{% endif %}{% set nil = {p: 1}.q %}',
  other: '{% set gone = 1 %}',
  unset: '{% for v in [1] %}{% set x = v.gone %}{% endfor %}',
  inc: '{{ x }}',
  copy: '{% set copy = x %}'
}

// Ways to set `x`. Where one has a second line, that is not undefined and the context is not asked.
const SETS = [
  ['{% set x = {p: 1}[a] %}'],
  ['{% set x = {p: 1}[0] %}'],
  ['{% set x = {p: 1}.q %}', '{% set x = {p: 1}.p %}'],
  ['{% set x = {p: {q: 1} }.q.q %}', '{% set x = {p: {q: 1} }.p.q %}'],
  ['{% set x = [1][7] %}'],
  ['{% set x = [{p: 1}][7].p %}'],
  ['{% set x = o.gone %}'],
  ['{% set x = t and {p: 1}.q %}'],
  ['{% set x = c or {p: 1}.q %}', '{% set x = c or {p: 1}.p %}'],
  ['{% set x = ({p: 1} if c else {q: 1}).p %}', '{% set x = ({p: 1} if c else {p: 2}).p %}'],
  ['{% set x = ({p: 1} if c else "text").p %}', '{% set x = {p: 1} if c else "text" %}'],
  ['{% set x = ({p: 1} if c else [1]).p %}'],
  ['{% set x = ({p: 1} if c else {}).p %}'],
  ['{% set x = {} | first %}'],
  ['{% set x = 5 | length %}'],
  ['{% set x = o.gone | dump %}'],
  ['{% set x = o.gone | default(o.nil) %}', '{% set x = o.gone | default(1) %}'],
  ['{% set x = o | pick("gone") %}'],
  ['{% set x = ([] | groupby("p"))["7"] %}'],
  ['{% set x = both(1)[1] %}'],
  ['{% set x = [].pop() %}'],
  ['{% if c %}{% set x = 1 %}{% endif %}', '{% if c %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}'],
  ['{% for v in [] %}{% set x = v %}{% endfor %}', '{% set x = 1 %}{% for v in [1] %}{% set x = 2 %}{% endfor %}'],
  ['{% set z = 1 %}{% set x = 1 %}{% for v in [1, 2] %}{% set x = z %}{% set z = {p: 1}.q %}{% endfor %}'],
  ['{% switch a %}{% case "gone" %}{% set x = 1 %}{% endswitch %}', '{% switch a %}{% case "gone" %}{% set x = 1 %}{% default %}{% set x = 2 %}{% endswitch %}'],
  ['{% set x, y = {p: 1}.q %}', '{% set x, y = 1 %}'],
  ['{% import "lib" as lib %}{% set x = lib.gone %}'],
  ['{% import "lib" as lib %}{% set x = lib.nil %}'],
  ['{% import ("other" if c else "lib") as lib %}{% set x = lib.gone %}', '{% import ("other" if c else "other") as lib %}{% set x = lib.gone %}'],
  ['{% import "unset" as lib with context %}'],
  ['{% set x = 1 if t else 2 %}{% set x = (1 if t else 2).p %}', '{% set x = 1 if t %}'],
  ['{% set x = m.gone %}', '{% set x = m() %}'],
  [undefined, '{% set x %}{{ o.gone }}{% endset %}'],
  [undefined, '{% set x = none %}']
]

// What reads it.
const READERS = [
  '{{ x }}',
  '{{ x | now }}',
  '{{ x | default("d") }}',
  '{{ [1, 2] | join(x) }}',
  '{{ {p: x}.p }}',
  '{{ o[x] }}',
  '{{ "yes" if x is defined else "no" }}',
  '{{ "yes" if x else "no" }}',
  '{{ [1, x][1] ~ "" }}',
  '{{ (1, x) }}',
  '{% if x %}yes{% endif %}',
  '{% if c %}{% elif x %}yes{% endif %}',
  '{% for v in [1] %}{{ x }}{% endfor %}',
  '{% for v in [] | sort %}{{ v }}{% else %}{{ x }}{% endfor %}',
  '{% for v in [] | now %}{{ v }}{% else %}{{ x }}{% endfor %}',
  '{% for k, v in {p: 1} %}{{ x }}{% endfor %}',
  '{% for k, v in [] | sort %}{% else %}{{ x }}{% endfor %}',
  '{% for v in x %}{{ v }}{% endfor %}',
  '{% asyncEach v in [1] %}{{ x }}{% endeach %}',
  '{% asyncAll v in [1] %}{{ x }}{% endall %}',
  '{% include "inc" %}',
  '{% for v in [1] %}{% include "inc" %}{% endfor %}',
  '{% import "copy" as copied with context %}{{ copied.copy }}',
  '{{ n(x) }}',
  '{{ n(1, x) }}',
  '{{ n(1, b=x) }}',
  '{{ n.call(none, x) }}',
  '{{ run(n, x) }}',
  '{{ both(x, 1)[0] }}',
  '{% call n() %}{{ x }}{% endcall %}',
  '{% call here() %}{{ x }}{% endcall %}',
  '{% call(v) n(x) %}{{ v }}{% endcall %}',
  '{% filter upper %}{{ x }}{% endfilter %}',
  '{% set copy %}{{ x }}{% endset %}{{ copy }}',
  '{% set copy = x %}{{ copy }}',
  '{% set x = x %}{{ x }}',
  '{% switch x %}{% case "p" %}yes{% default %}no{% endswitch %}',
  '{% switch c %}{% case x %}yes{% default %}{{ x }}{% endswitch %}',
  '{% block inner %}{{ x }}{% endblock %}'
]

// The body of a `call` sees the frame of a macro beside it, and not what is set around.
const ASKS = ['{% call here() %}{{ x }}{% endcall %}']

const VALUES = { a: 'zz', t: true, c: false, x: 'p', o: { p: 1, changed: 2 } }

const page = set => `{% macro m() %}{% endmacro %}{% macro n(a, b=1) %}[{{ a }}{{ b }}{{ caller() if caller }}]{% endmacro %}${
  READERS.map((reader, index) => `{% block b${index} %}{% macro here() %}{{ caller() }}{% endmacro %}${set}${reader.replace('inner', `inner${index}`)}{% endblock %}`).join('\n')
}`

function analysed (set) {
  const { renderer } = setUp({ ...shared, page: page(set) }, { configure })
  const { blocks } = renderer.reads.analyse('page')
  return READERS.map((reader, index) => ({ reader, renderer, block: `b${index}`, ...blocks.get(`b${index}`) }))
}

const asksFor = reads => reads.some(read => touches(['x'], read))

for (const [unset, set] of SETS) {
  t.test(unset ?? set, t => {
    const missed = []
    let shown = 0
    for (const { reader, renderer, block, reads, evaluated } of unset === undefined ? [] : analysed(unset)) {
      const recording = record({ ...VALUES })
      const html = renderer.renderBlock('page', block, recording.context)
      if (recording.unknown([...reads, ...evaluated]).length > 0) missed.push(`${reader}: ${recording.reads().join(' ')}`)
      if (html === renderer.renderBlock('page', block, { ...VALUES, x: 'changed' })) continue
      shown++
      if (!asksFor(reads)) missed.push(`${reader} depends on it: ${pathsOf(reads).join(' ')}`)
    }
    t.same(missed, [])
    t.ok(unset === undefined || shown > READERS.length / 2, `${shown} of ${READERS.length} show it`)
    const asking = set === undefined ? [] : analysed(set).filter(({ reads }) => asksFor(reads)).map(({ reader }) => reader)
    t.same(asking.filter(reader => !ASKS.includes(reader)), [])
    t.end()
  })
}
