// What the rules about signals and live views find, and what they leave alone.
import { page, rule } from '../helpers/contracts.js'

const signals = (...names) => app => { for (const name of names) app.signal(name, { initial: 0 }) }
const view = options => app => app.liveView('ticket', { template: 'page.html', context: () => ({}), ...options })
const CONNECT = '<main sse-connect="/">'

rule('unknown-signal', {
  'names that no signal has': {
    declare: signals('balance'),
    templates: {
      'page.html': `${CONNECT}{{ ¦signal("balanse") }}<b {{ ¦signal_attrs("x") }}></b>{% if a %}{{ ¦signal("y" if b else "balance") }}{% endif %}{{ f(¦signal("z")) }}<i ¦sse-swap="signal:w,signal:balance,other"></i></main>`
    },
    says: ['balanse', 'x', 'y', 'z', 'w'].map((name, n) =>
      `There is no signal "${name}", which ${['signal()', 'signal_attrs()', 'signal()', 'signal()', 'sse-swap'][n]} shows.${n === 0 ? ' Did you mean "balance"?' : ''} Correct the name, or declare it before the app starts: app.signal('${name}')`)
  },
  'signals and derived values, and names that are not known': {
    declare: app => { signals('a')(app); app.derived('b', ['a'], a => a) },
    templates: '{{ signal("a") }}{{ signal("b") }}{{ signal(name) }}{{ signal() }}{{ x.signal("y") }}<i sse-swap="signal:a"></i>'
  },
  'other functions of the name': {
    declare: signals('a'),
    templates: { 'page.html': '{% macro signal(x) %}{% endmacro %}{{ signal("x") }}', 'b.html': '{% from "page.html" import signal as signal_attrs %}{{ signal_attrs("x") }}' }
  },
  'an app without signals': { templates: '{{ signal("x") }}' }
})

rule('signal-outside', {
  'pages that connect to nothing': {
    declare: signals('a'),
    templates: page('<p>{{ ¦signal("a") }}</p>'),
    says: 'signal("a") is in a page that connects to no stream, so its place never changes. Put it into an element with {{ sse_connect() }}, and answer with reply.page(template, context, { live: app.signals() })'
  },
  'pages that connect, or may': {
    declare: signals('a'),
    templates: {
      'page.html': page(`${CONNECT}{{ signal("a") }}</main>`),
      'base.html': page('<main {{ attributes }}>{% block body %}{% endblock %}</main>'),
      'attributes.html': page('<p {{ signal_attrs("a") }}></p>'),
      'child.html': '{% extends "base.html" %}{% block body %}{{ signal("a") }}{% endblock %}',
      'part.html': '<p>{{ signal("a") }}</p>'
    }
  },
  'signals that there are not': { declare: signals('a'), templates: page('<p>{{ signal("b") }}</p>') }
})

rule('live-view', {
  'blocks that are not placed, and paths that nothing reads': {
    declare: view({ blocks: ['header', { block: 'rows', target: 'list' }, { block: 'foot', target: 'foot' }], derive: { totall: ['rows'], total: ['rows'] } }),
    templates: `${CONNECT}{% block header %}{{ title }}{% endblock %}<ul>{% block rows %}{{ rows }}{% endblock %}</ul><p id="f{{ x }}">{% block foot %}{{ total }}{% endblock %}</p></main>`,
    finds: ['page.html', 'page.html', 'page.html'],
    says: [
      'Live view "ticket": no block reads "totall", which "derive" computes. Correct the path, or remove it there',
      'Live view "ticket": no element takes its block "header". Put {{ sse_swap("header") }} into the element around it, or correct the target in "blocks"',
      'Live view "ticket": no element takes its block "rows". Put {{ sse_swap("list") }} into the element around it, or correct the target in "blocks"'
    ]
  },
  'what is placed and read': {
    declare: view({ derive: { total: ['rows'], 'rows[].sum': ['rows[].price', 'total'] } }),
    templates: `${CONNECT}<p {{ sse_swap("a") }}>{% block a %}{{ total }}{% for row in rows %}{{ row.sum }}{% endfor %}{% endblock %}</p></main>`
  },
  'a circle': {
    declare: view({ derive: { a: ['b', 'd'], b: ['c'], c: ['a'] } }),
    templates: `${CONNECT}<p {{ sse_swap("x") }}>{% block x %}{{ a }}{{ b }}{{ c }}{% endblock %}</p></main>`,
    finds: ['page.html'],
    says: 'Live view "ticket": "derive" goes round in a circle: "a" of "b" of "c" of "a". Remove one of them'
  },
  'what cannot be shown': {
    // One that is declared before fails the start.
    declare: async app => {
      await app.ready()
      view({ template: 'gone.html' })(app)
    },
    templates: '',
    source: "view.changed(id, ['x'])",
    finds: ['gone.html']
  },
  'changes that reach nobody': {
    declare: view({ reads: { a: ['clock'] } }),
    templates: `${CONNECT}<p {{ sse_swap("a") }}>{% block a %}{{ ticket.title }}{% endblock %}</p></main>`,
    source: "await ticket.changed(id, [¦'ticket.titel', 'ticket.title', 'ticket', 'clock', path, , 'no path!'])\nticket.changed(id)\nticket.changed(id, paths)\nticket['changed'](id, ['x'])\nchanged(id, ['x'])",
    says: 'No block of a live view reads "ticket.titel", so this change has no effect. Correct the path, or add it to "reads" of the block that shows it'
  },
  'an app without live views': { source: "other.changed(id, ['x'])" }
})
