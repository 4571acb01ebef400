// What the rules about pages, their streams and both htmx find, and what they must not be fooled by.
// A mark ¦ stands before what should be found.
import { page, rule } from '../helpers/contracts.js'

rule('sse-swap-unknown', {
  'an event that the route does not declare': {
    templates: '<div sse-connect="/live"><p ¦sse-swap="peopel"></p></div>',
    routes: ['GET /live events=people,machine'],
    says: 'No stream here sends "peopel", which sse-swap waits for. Did you mean "people"? Its route declares "people" and "machine": correct the name, or add it to the events of the route'
  },
  'lists, and the names that need no declaration': {
    templates: '<div sse-connect="/live" sse-swap="a"><p sse-swap="a,b , message,"></p><p sse-swap="chirp:error"></p><p data-sse-swap="b"></p><p ¦sse-swap="a, c"></p>' +
      '<p hx-get="/live" hx-trigger="sse:a, click, sse:b[x] delay:1s"></p><p hx-get="/live" ¦hx-trigger="sse:d"></p><p hx-trigger="click"></p></div>',
    routes: ['GET /live events=a,b']
  },
  'a name that no version of the plugin sends': {
    templates: '<div sse-connect="/live"><p ¦sse-swap="chirp:gpa"></p></div><p ¦sse-swap="chirp:clossing"></p>',
    routes: ['GET /live stream'],
    says: [
      'No stream here sends "chirp:gpa", which sse-swap waits for. Did you mean "chirp:gap"? The plugin sends "chirp:open", "chirp:error", "chirp:closing", "chirp:closed", "chirp:busy", "chirp:gap" and "chirp:retry"',
      'No stream here sends "chirp:clossing", which sse-swap waits for. Did you mean "chirp:closing"? The plugin sends "chirp:open", "chirp:error", "chirp:closing", "chirp:closed", "chirp:busy", "chirp:gap" and "chirp:retry"'
    ]
  },
  'the helpers of templates': {
    templates: '<div {{ sse_connect("/live") }}{{ sse_close("end") }}><p {{ sse_swap("a") }}></p><p class="x" ¦{{ sse_swap("b") }}></p><p {{ sse_swap("message") }} {{ sse_swap(x) }}></p></div>' +
      '<div {{ sse_connect("/live") }} {% if x %}¦{{ sse_close("edn") }}{% endif %}></div><div {{ sse_connect("/li" ~ x) }}><p {{ sse_swap("c") }}></p></div>',
    source: "reply.eventStream([], { closeEvent: 'end' })",
    routes: ['GET /live events=a', 'GET /like events=c'],
    says: ['No stream here sends "b", which sse_swap() waits for. Its route declares "a": correct the name, or add it to the events of the route',
      'No stream here sends "edn", which sse_close() waits for. Its route declares "a": correct the name, or add it to the events of the route']
  },
  'streams that declare nothing, or that are unknown': {
    templates: '<div sse-connect="/a"><p sse-swap="x"></p></div><div sse-connect="{{ url }}"><p sse-swap="x"></p></div><div sse-connect="live"><p sse-swap="x"></p></div>' +
      '<div sse-connect="/nope"><p sse-swap="x"></p></div><div {{ attributes }}><p sse-swap="x"></p></div><p sse-swap="x"></p><p sse-swap="{{ x }}"></p>',
    routes: ['GET /a stream', 'GET /b events=y']
  },
  'the nearest connection counts': {
    templates: '<div sse-connect="/a"><div sse-connect="/b"><p ¦sse-swap="a"></p><p sse-swap="b"></p></div><p sse-swap="a"></p><p ¦sse-swap="b"></p></div>',
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  'a connection that is there in some cases only': {
    templates: '<div sse-connect="/a"><div {% if x %}sse-connect="/b"{% endif %}><p sse-swap="a"></p><p sse-swap="b"></p><p ¦sse-swap="c"></p></div></div>',
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  parameters: {
    templates: '<div sse-connect="/a/{{ id }}"><p sse-swap="x"></p><p sse-swap="y"></p><p ¦sse-swap="z"></p></div>',
    routes: ['GET /a/:id events=x', 'GET /a/new events=y']
  },
  'through includes, blocks and macros': {
    templates: {
      'layout.html': page('<main sse-connect="/live">{% block body %}{% endblock %}</main>'),
      'page.html': '{% extends "layout.html" %}{% from "m.html" import live %}{% block body %}<p ¦sse-swap="b"></p>{% include "part.html" %}{% call live() %}<p ¦sse-swap="d"></p>{% endcall %}{% endblock %}',
      'part.html': '<p sse-swap="a"></p><p ¦sse-swap="c"></p>',
      'm.html': '{% macro live() %}<div sse-connect="/other">{{ caller() }}</div>{% endmacro %}'
    },
    routes: ['GET /live events=a', 'GET /other events=o']
  },
  'a partial of two pages may listen to both': {
    templates: {
      'a.html': page('<div sse-connect="/a">{% include "part.html" %}</div>'),
      'b.html': page('<div sse-connect="/b">{% include "part.html" %}</div>'),
      'part.html': '<p sse-swap="a,b"></p><p ¦sse-swap="c"></p>'
    },
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  'a partial that is included nowhere may be put anywhere': { templates: '<p sse-swap="x"></p>', routes: ['GET /a events=a'] },
  'elements that end without an end tag': {
    templates: '<ul><li sse-connect="/a">1<li sse-connect="/b"><p>x<div sse-swap="b"></div><li ¦sse-swap="b"></ul>'.replace('<ul>', '<ul sse-connect="/a">') +
      '<table sse-connect="/a"><tr sse-connect="/b"><td>1<tr ¦sse-swap="b"><td></table><dl sse-connect="/a"><dt sse-connect="/b"><dd ¦sse-swap="b"></dl>' +
      '<section sse-connect="/a"><img sse-connect="/b"><p ¦sse-swap="b"></p><svg><path sse-connect="/b"/><g sse-swap="a"/></svg></section><section sse-connect="/a"><div sse-connect="/b"/><p sse-swap="b"></p></section>',
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  'conditions that open different elements': {
    templates: '{% if x %}<div sse-connect="/a">{% else %}<div class="x" sse-connect="/b">{% endif %}<p sse-swap="a"></p><p sse-swap="b"></p><p ¦sse-swap="c"></p></div>' +
      '{% if x %}<div sse-connect="/a">{% endif %}<p sse-swap="z"></p>{% if x %}</div>{% endif %}<p sse-swap="z"></p>',
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  'after the element that held uncertain ones all is certain again': {
    templates: '<main sse-connect="/a"><section>{% if x %}<div><b>{% endif %}<p></p></b></div></i></section><p ¦sse-swap="z"></p></main>',
    routes: ['GET /a events=a']
  },
  'an end of a stream': {
    templates: '<div sse-connect="/a" ¦sse-close="doen"><form hx-post="/a" hx-sse:close="x"></form></div><div sse-connect="/a" sse-close="done"></div><div hx-sse:connect="/a" hx-sse:close="bye"></div>',
    source: "app.get('/a', (request, reply) => reply.eventStream([], { closeEvent: last ? 'bye' : 'x' }))",
    routes: ['GET /a events=a,done']
  },
  'an end of a stream, while the source is not known': { templates: '<div sse-connect="/a" ¦sse-close="bye"></div>', routes: ['GET /a events=a'], severity: 'info' },
  'custom tags may do anything with their content': {
    templates: '<div sse-connect="/a">{% wrap %}<p sse-swap="z"></p>{% endwrap %}<input {% wrap %}{% endwrap %}></div>',
    routes: ['GET /a events=a'],
    tags: ['wrap']
  }
})

rule('sse-swap-outside', {
  'an element outside of every connection': {
    templates: page('<div sse-connect="/a"></div><p ¦sse-swap="a"></p><p hx-get="/x" ¦hx-trigger="sse:a"></p>'),
    routes: ['GET /a events=a'],
    says: ['sse-swap', 'hx-trigger'].map(name => `${name} is outside of every element with sse-connect, so nothing reaches it. Move it into one, or connect here`)
  },
  'inside, on the same element, or in a part of a page': {
    templates: { 'page.html': page('<div sse-connect="/a" sse-swap="a"><p sse-swap="b"></p></div>'), 'part.html': '<p sse-swap="a"></p>' },
    routes: ['GET /a stream']
  },
  'what may be around': {
    templates: {
      'page.html': page('<div {{ attributes }}><p sse-swap="a"></p></div><div {% if x %}sse-connect="/a"{% endif %}><p sse-swap="a"></p></div>' +
        '{% call unknown() %}<p sse-swap="a"></p>{% endcall %}{% include "top.html" %}<p sse-swap="a"></p>{% include "bottom.html" %}{% include name %}<p ¦sse-swap="b"></p>'),
      'top.html': '<section hx-sse:connect="/a">',
      'bottom.html': '</section>',
      'open.html': '{% extends name %}{% block a %}<html><p sse-swap="a"></p></html>{% endblock %}',
      'wrapped.html': '<html>{% include "open.html" %}</html>'
    },
    routes: ['GET /a stream']
  },
  'a partial that is inside in one page': {
    templates: { 'a.html': page('<div sse-connect="/a">{% include "part.html" %}</div>'), 'b.html': page('{% include "part.html" %}'), 'part.html': '<p sse-swap="a"></p>' },
    routes: ['GET /a stream']
  },
  'a layout that may be one of several': {
    templates: {
      'live.html': page('<div sse-connect="/a">{% block body %}{% endblock %}</div>'),
      'plain.html': page('{% block body %}{% endblock %}'),
      'a.html': '{% extends "live.html" if x else "plain.html" %}{% block body %}<p sse-swap="a"></p>{% endblock %}',
      'b.html': '{% extends "plain.html" %}{% block body %}<p ¦sse-swap="a"></p>{% endblock %}',
      'c.html': '{% if x %}{% extends "plain.html" %}{% endif %}{% block body %}<p ¦sse-swap="a"></p>{% endblock %}',
      'd.html': '{% extends layout or "live.html" %}{% block body %}<p sse-swap="a"></p>{% endblock %}',
      'e.html': page('{% include "x.html" if x else "y.html" %}'),
      'x.html': '<p ¦sse-swap="a"></p>',
      'y.html': '<p></p>'
    },
    routes: ['GET /a stream']
  }
})

rule('event-unheard', {
  'an event that nobody waits for': {
    templates: '<div sse-connect="/live"><p sse-swap="a"></p></div>',
    routes: ['GET /live events=a,b'],
    finds: ['GET /live'],
    says: 'GET /live declares "b", and no template that connects to it listens. Add sse-swap="b", or remove it from the events of the route'
  },
  'all ways to listen': {
    templates: '<div sse-connect="/live" sse-close="e"><p sse-swap="a,b"></p><p hx-trigger="sse:c, d from:body"></p><b hx-on:f="x()" hx-on::g="y()"></b><script>s.addEventListener("h", x)</script>{{ panel("i") }}</div>',
    routes: ['GET /live events=a,b,c,d,e,f,g,h,i']
  },
  'a partial may be put into the connection': { templates: { 'page.html': page('<div sse-connect="/live"></div>'), 'part.html': '<p sse-swap="a"></p>' }, routes: ['GET /live events=a'] },
  'a name that is not known may be any': { templates: '<div sse-connect="/live"><p sse-swap="{{ name }}"></p></div>', routes: ['GET /live events=a'] },
  'on htmx 4 a target is an id': { templates: '<div hx-sse:connect="/live"><p id="a"></p></div>', routes: ['GET /live events=a,b'], finds: ['GET /live'] },
  'an end of a stream that nobody waits for': {
    templates: '<div sse-connect="/live" sse-close="done"></div>',
    source: "reply.eventStream([], { closeEvent: ¦'doen' })\nreply.eventStream([], { closeEvent: 'done' })\nawait app.register(chirp, { closeEvent: ¦'bye' })\n" +
      "other({ closeEvent: 'x' })\nother(1, { closeEvent: 'x' })\nstreams.open(1, { closeEvent: 'x' })\n",
    says: ['bye', 'doen'].map(name => `No template waits for "${name}", which ends a stream. Add sse-close="${name}" where that is connected, or correct the name`).reverse(),
    routes: ['GET /live stream']
  },
  'an end of a stream that a script may wait for': { templates: '<script>new EventSource("/live")</script>', source: "reply.eventStream([], { closeEvent: 'done' })", routes: ['GET /live stream'] },
  'a route that no template connects to': { templates: '<p></p>', routes: ['GET /live events=a referenced'] }
})

rule('event-name', {
  'names that mean something else': {
    templates: '<div sse-connect="/live"><p sse-swap="message"></p><p ¦sse-swap="open"></p><p hx-trigger="click"></p></div>',
    routes: ['GET /live events=error,message,news'],
    source: "import { Fragment, SSEEvent } from 'fastify-chirp'\nnew SSEEvent({ event: ¦'click' })\nnew Fragment('page.html', 'a', {}, { target: ¦'htmx:load' })\nreply.eventStream([], { event: ¦'hx:x' })\n",
    finds: ['GET /live', 'GET /live'],
    says: [
      ['click', 'it is a DOM event, which triggers requests of elements that listen for it'],
      ['htmx:load', 'htmx listens for its own events of such names'],
      ['hx:x', 'htmx listens for its own events of such names'],
      ['error', 'EventSource has an event of that name of its own'],
      ['message', 'on htmx 2 it is what events without a name are called, and on htmx 4 a DOM event'],
      ['open', 'EventSource has an event of that name of its own']
    ].map(([name, why]) => `"${name}" is not a good name for an event: ${why}. Choose another`)
  },
  'other names': { templates: '<div sse-connect="/live"><p sse-swap="news"></p></div>', routes: ['GET /live events=news'] },
  'events that are not of the plugin': { source: "new SSEEvent({ event: 'click' })\nnew Fragment('a', 'b', {}, { target: 'click' })\n" }
})

rule('missing-extension', {
  'a connection without the extension': {
    templates: page('<div ¦sse-connect="/a" hx-ext="ssex"><p sse-swap="a"></p></div>'),
    says: 'htmx 2 opens sse-connect only inside of hx-ext="sse". Add hx-ext="sse" to this element, or to one around it'
  },
  'on a page that surely has htmx 2': { templates: page('<script src="/htmx2/htmx.js"></script><div ¦data-sse-connect="/a"></div>'), severity: 'error' },
  'with the extension': {
    templates: {
      'function.html': page('<div {{ sse_connect("/a") }} sse-swap="a"></div>'),
      'a.html': page('<div hx-ext="sse" sse-connect="/a" sse-swap="a"></div><main data-hx-ext="a, sse"><div hx-ext="b" sse-connect="/a" sse-swap="a"></div></main>'),
      'b.html': page('<main {% if x %}hx-ext="sse"{% endif %}><div sse-connect="/a" sse-swap="a"></div></main><main hx-ext="{{ x }}"><div sse-connect="/a"></div></main>'),
      'c.html': '{% extends "layout.html" %}{% block body %}<div sse-connect="/a" sse-swap="a"></div>{% endblock %}',
      'layout.html': '<body hx-ext="sse">{% block body %}{% endblock %}</body>'
    }
  },
  'what may have it': {
    templates: {
      'a.html': page('<div {{ x }} sse-connect="/a" sse-swap="a"></div>{% call x() %}<div sse-connect="/a" sse-swap="a"></div>{% endcall %}'),
      'part.html': '<div sse-connect="/a" sse-swap="a"></div>'
    }
  },
  'htmx 4 needs none': {
    templates: {
      'a.html': page('<script src="/htmx.org@4/dist/htmx.js"></script><div sse-connect="/a"></div>'),
      'b.html': page('<div sse-connect="/a" hx-config="x"></div>'),
      'c.html': page('<div sse-connect="/a"></div>')
    }
  }
})

rule('broad-target', {
  'an hx-target around the connection': {
    templates: '<body hx-target="#main"><div ¦sse-connect="/a"><p sse-swap="a"></p></div></body>',
    routes: ['GET /a stream'],
    says: 'Events of this stream are swapped into hx-target="#main" of an element around it. Put hx-target="this" on the element that they are for, or hx-disinherit="hx-target" on the one around'
  },
  'what keeps it away': {
    templates: '<main hx-target="#main"><div sse-connect="/a" hx-target="this"><p sse-swap="a"></p></div><div sse-connect="/a"><p sse-swap="a" hx-target="this"></p></div>' +
      '<div sse-connect="/a"><p hx-get="/a"></p></div><div sse-connect="/a"><div hx-target="find p"><p sse-swap="a"></p></div></div></main>' +
      '<main hx-target="#main" hx-disinherit="*"><div sse-connect="/a" sse-swap="a"></div></main><main hx-target="#main" hx-disinherit="hx-target"><div sse-connect="/a" sse-swap="a"></div></main>' +
      '<main hx-target="unset"><div sse-connect="/a" sse-swap="a"></div></main><main><div sse-connect="/a" sse-swap="a"></div></main><p sse-swap="a"></p>',
    routes: ['GET /a stream']
  },
  'on the connection itself a hx-disinherit does not help': { templates: '<main hx-target="#a" hx-disinherit="hx-swap"><div ¦sse-connect="/a" sse-swap="a" hx-disinherit="*"></div></main>' },
  'what is not sure': {
    templates: '<main {% if x %}hx-target="#a"{% endif %}><div sse-connect="/a" sse-swap="a"></div></main><main hx-target="#a" {{ x }}><div sse-connect="/a" sse-swap="a"></div></main>' +
      '{% if x %}<main hx-target="#a">{% else %}<main>{% endif %}<div sse-connect="/a" sse-swap="a"></div><div hx-sse:connect="/a"></div></main>'
  },
  'htmx 4 inherits what says so': {
    templates: '<main hx-target:inherited="#a"><div ¦hx-sse:connect="/a"></div><div hx-sse:connect="/a" hx-target="this"></div></main><main hx-target="#a"><div hx-sse:connect="/a"></div></main>' +
      '<main hx-sse:connect="/a" hx-target:inherited="#a"></main><main {% if x %}hx-target:inherited="#a"{% endif %}><div hx-sse:connect="/a"></div></main>'
  },
  'through an include': {
    templates: { 'page.html': page('<main hx-target="#a">{% include "part.html" %}</main>'), 'part.html': '<div ¦sse-connect="/a"><p sse-swap="a"></p></div>' }
  },
  'inheritance that is switched off': {
    templates: '<meta name="htmx-config" content=\'{"disableInheritance":true}\'><main hx-target="#a"><div sse-connect="/a" sse-swap="a"></div></main>'
  }
})

rule('missing-target', {
  'an id that no template has': {
    templates: '<a hx-get="/" ¦hx-target="#mian">1</a><main id="main"></main><p ¦hx-target:inherited="#x"></p>',
    says: [
      'No element has the id "mian", which hx-target names. Did you mean "main"? Give the target that id, or correct the name',
      'No element has the id "x", which hx-target:inherited names. Give the target that id, or correct the name'
    ]
  },
  'ids of any template, and other selectors': {
    templates: {
      'page.html': '<a hx-target="#a">1</a><a hx-target="this">2</a><a hx-target="closest tr">3</a><a hx-target="#a .b">4</a><a hx-target="#{{ x }}">5</a><a hx-target="#row-7">6</a><a hx-target="#cell-1-to-2-end">6</a>' +
        '<a ¦hx-target="#cell-1-2-end">6</a><a ¦hx-target="#cell-to-end">6</a><a ¦hx-target="#cell-1-to-2">6</a>' +
        '<a hx-target="#made">7</a><a hx-target="#from-script">8</a><a hx-target="#from-source">9</a><a hx-target="#in-template">10</a>{{ modal("made") }}' +
        '<script>el.id = "from-script"</script><template><p id="in-template"></p></template>',
      'part.html': '<p id="a"></p><p id="row-{{ n }}"></p><p id="cell-{{ x }}-to-{{ y }}-end"></p>'
    },
    source: 'const html = `<p id="from-source">$' + '{x}</p>`'
  },
  'functions print ids': { templates: '<p {{ sse_swap("a") }}></p><p {{ sse_swap("message") }}></p><a hx-target="#a">1</a><a ¦hx-target="#message">2</a>' },
  'what is swapped out of band': {
    templates: '<p id="a" ¦hx-swap-oob="true"></p><p id="b" hx-swap-oob="true"></p><p id="b"></p><p ¦hx-swap-oob="beforeend:#c"></p><p hx-swap-oob="beforeend:.d"></p>' +
      '<p id="e" {% if oob %}hx-swap-oob="true"{% endif %}></p><p id="{{ x }}f" hx-swap-oob="true"></p><p hx-swap-oob="true"></p><p id="g" hx-swap-oob="false"></p><p id="h" hx-swap-oob></p>',
    says: [
      'No other element has the id "a", which hx-swap-oob names. Give the target that id, or correct the name',
      'No other element has the id "c", which hx-swap-oob names. Give the target that id, or correct the name'
    ]
  },
  'what is swapped, at its own place in a page': { templates: page('<p id="a" hx-swap-oob="true"></p>') },
  'while an element may have any id': {
    templates: '<p id="{{ id }}"></p><a ¦hx-target="#a">1</a>',
    severity: 'info'
  },
  'ids of items in a list come from data': { templates: '{% for x in y %}<p id="{{ x.id }}"></p>{% endfor %}<a ¦hx-target="#a">1</a>' },
  'targets of fragments': {
    templates: '<div sse-connect="/live"><p sse-swap="news"></p><p id="clock"></p></div>',
    routes: ['GET /live stream'],
    source: "import { Fragment } from 'fastify-chirp'\n" +
      "const options = ['news', 'clock', '#clock', 'closest p'].map(target => new Fragment('page.html', 'b', {}, { target }))\n" +
      "new Fragment('page.html', 'b', {}, { target: 'news' }); new Fragment('page.html', 'b', {}, { target: 'clock' }); new Fragment('page.html', 'b', {}, { target: '#clock' })\n" +
      "new Fragment('page.html', 'b', {}, { target: 'closest p' }); new Fragment('page.html', 'b', {}, { target: ¦'newz' }); new Fragment('page.html', 'b', {}, { target: ¦'#clokc' })\n",
    says: [
      'Nothing takes a fragment for "newz": no sse-swap="newz" and no element with that id. Did you mean "news"? Correct the name on either side',
      'Nothing takes a fragment for "#clokc": no sse-swap="#clokc" and no element with that id. Did you mean "clock"? Correct the name on either side'
    ]
  },
  'targets of fragments when scripts connect': {
    templates: '<script>new EventSource("/live")</script>', source: "import { Fragment } from 'fastify-chirp'\nnew Fragment('page.html', 'b', {}, { target: 'newz' })\n"
  },
  'targets of fragments when a listener has any name': {
    templates: '<p sse-connect="/live" sse-swap="{{ x }}"></p>', source: "import { Fragment } from 'fastify-chirp'\nnew Fragment('page.html', 'b', {}, { target: 'newz' })\n"
  }
})

rule('duplicate-id', {
  'twice in a template': { templates: page('<p id="a"></p><p ¦id="a"></p>'), says: 'The id "a" is there twice. Give each element an id of its own' },
  'in two templates of a page': {
    templates: { 'page.html': page('<p id="a"></p>{% include "part.html" %}'), 'part.html': '<p ¦id="a"></p>' },
    says: 'The id "a" is also in "page.html", in the same page. Give each element an id of its own'
  },
  'a partial that is there twice': {
    templates: { 'page.html': page('{% include "part.html" %}{% include "part.html" %}'), 'part.html': '<p ¦id="a"></p>' },
    says: 'The id "a" comes more than once in "page.html", because its template does. Give each element an id of its own'
  },
  'in a loop': {
    templates: page('{% for x in y %}<p ¦id="a"></p>{% if loop.first %}<p id="b"></p>{% endif %}<p id="c{{ x }}"></p>{% else %}<p id="d"></p>{% endfor %}'),
    says: 'The id "a" is repeated by the loop around it. Give each element an id of its own'
  },
  'in one branch or the other': {
    templates: page('{% if a %}<p id="a"></p>{% else %}<p id="a"></p>{% endif %}{% if b %}<p id="b"></p>{% endif %}{% if c %}<p id="b"></p>{% endif %}' +
      '<p {% if a %}id="c"{% endif %}></p><p id="c"></p><p id="{{ d }}"></p><p id="{{ d }}"></p>{% if a %}<i id="e">{% else %}<i id="e">{% endif %}</i>')
  },
  'in a branch and around it': { templates: page('<p id="a"></p>{% if a %}{% if b %}<p ¦id="a"></p>{% endif %}<p id="b"></p>{% if c %}<p ¦id="b"></p>{% endif %}{% endif %}') },
  'two that functions print': { templates: page('<p {{ sse_swap("a") }}></p><p ¦{{ sse_swap("a") }}></p>') },
  'in different pages, parts, drawings, templates and swaps': {
    templates: {
      'a.html': page('<p id="a"></p>'),
      'b.html': page('<p id="a"></p><p id="a" hx-swap-oob="true"></p><svg><g id="x"/><g id="x"/></svg><template><p id="a"></p></template>'),
      'part.html': '<p id="z"></p><p id="z"></p>'
    }
  }
})

const HTMX2 = '<script src="https://unpkg.com/htmx.org@2.0.11/dist/htmx.min.js"></script>'
const HTMX4 = '<script src="/vendor/htmx-4.0.1.min.js"></script>'

rule('removed-attribute', {
  'attributes of htmx 2 in a page with htmx 4': {
    templates: page(`${HTMX4}<div ¦hx-ext="sse" sse-connect="/a"><p ¦sse-swap="a"></p></div><p ¦data-hx-disabled-elt="this"></p>`),
    says: [
      'htmx 4 does not know hx-ext: loading the script of the extension is enough',
      'htmx 4 does not know sse-swap: htmx 4 swaps events without a name, and fragments go to the element with their target as id',
      'htmx 4 does not know data-hx-disabled-elt: it is called hx-disable now'
    ]
  },
  'in a partial of such pages': { templates: { 'page.html': page('<script src="/js/hx-sse.min.js"></script>'), 'part.html': '<p ¦hx-vars="a:1"></p>' } },
  'in pages with htmx 2, or with one that is not known': {
    templates: { 'a.html': page(`${HTMX2}<p hx-vars="a:1"></p>`), 'b.html': page('<script src="/htmx.js"></script><p hx-vars="a:1"></p>'), 'part.html': '<p hx-vars="a:1"></p>' }
  },
  'an element for both, and a page with the bridge': {
    templates: {
      'a.html': page(`${HTMX4}<div sse-connect="/a" hx-sse:connect="/a" hx-ext="sse" sse-swap="a"></div>`),
      'b.html': page(`${HTMX4}<script src="/htmx-2-compat.js"></script><p hx-vars="a:1"></p>`),
      'c.html': page(`{% if four %}${HTMX4}{% endif %}<p hx-vars="a:1"></p>`),
      'd.html': page(`${HTMX4}<div {{ sse_connect("/a") }}><p {{ sse_swap("a") }}></p></div>`)
    }
  }
})

rule('mixed-dialects', {
  'attributes of htmx 4 in a page with htmx 2': {
    templates: page(`${HTMX2}<div ¦hx-sse:connect="/a"></div><p ¦hx-target:inherited="this" hx-on:click="x" hx-on::load="y"></p><p ¦hx-status:404="x"></p>`),
    says: ['hx-sse:connect', 'hx-target:inherited', 'hx-status:404'].map(name => `This page loads htmx 2, which does not know ${name}. Use the attribute of htmx 2, or load htmx 4`)
  },
  'attributes of both in one page': {
    templates: page('<div hx-ext="sse" sse-connect="/a"></div><div ¦hx-sse:connect="/a"></div>'),
    says: 'hx-sse:connect is of htmx 4, and hx-ext in the same page of htmx 2. Use one generation in a page'
  },
  'both scripts in one page': {
    templates: page(`${HTMX2}${HTMX4}<div hx-ext="sse"></div><div ¦hx-action="/a"></div>`),
    says: 'hx-action is of htmx 4, and hx-ext in the same page of htmx 2; both are loaded. Use one generation in a page'
  },
  'a page that has one or the other': {
    templates: {
      'a.html': page('{% if four %}<div hx-sse:connect="/a"></div>{% else %}<div hx-ext="sse" sse-connect="/a"></div>{% endif %}'),
      'b.html': page('<div {% if four %}hx-sse:connect="/a"{% else %}hx-ext="sse" sse-connect="/a"{% endif %}></div>'),
      'c.html': page('<div hx-ext="sse" sse-connect="/a" hx-sse:connect="/a"></div>'),
      'd.html': page(`${HTMX4}<div hx-sse:connect="/a"></div>`),
      'f.html': page(`${HTMX2}<div {{ sse_connect("/a") }} {{ sse_close("a") }}></div>`),
      'e.html': page('<script src="/dist/sse.js"></script><script src="https://unpkg.com/htmx-ext-sse@2.2.4"></script><div hx-ext="sse"></div>'),
      'part.html': '<div hx-ext="sse" hx-action="/x"></div>'
    }
  },
  'attributes for both in a loop': { templates: page('{% for x in y %}<div hx-ext="sse"></div><div ¦hx-action="/a"></div>{% endfor %}') }
})
