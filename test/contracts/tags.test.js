// Blocks, includes and macros inside of a start tag: what they print are
// attributes of that tag, in each page those of its own.
import t from 'tap'
import { categories } from 'fastify-chirp/contracts'
import { checkCases } from '../helpers/contracts.js'

const severityOf = name => categories.find(({ category }) => category === name).severity
const rule = (category, cases) => t.test(category, t => checkCases(t, category, severityOf(category), cases))
const layout = main => `<!doctype html>\n<html><body>\n<main ${main}>{% block body %}{% endblock %}</main>\n</body></html>\n`
const child = (connect, body = '') => `{% extends "layout.html" %}{% block connect %}${connect}{% endblock %}{% block body %}${body}{% endblock %}`

rule('link', {
  'a block inside a tag, with an attribute of its own, of a child, and of both': {
    templates: {
      'layout.html': layout('class="x" {% block connect %}¦hx-get="/own"{% endblock %} {% block other %}{% endblock %}'),
      'a.html': child('¦sse-connect="/nope"'),
      'b.html': child('{{ super() }} ¦data-sse-connect="/nope/{{ id }}" {% block inner %}hx-post="/a"{% endblock %}'),
      'c.html': '{% extends "b.html" %}{% block inner %}¦hx-post="/c"{% endblock %}',
      'd.html': child('{% if x %}¦sse-connect="/d"{% else %}sse-connect="/a"{% endif %}{{ super() }}'),
      'e.html': child('{{ sse_connect("/a") }}'),
      'f.html': child('¦{{ sse_connect("/f") }}'),
      'g.html': '{% extends "layout.html" %}'
    },
    routes: ['GET /a stream', 'POST /a']
  },
  'includes and macros inside a tag': {
    templates: {
      'page.html': '{% from "m.html" import live %}{% macro own() %}¦hx-get="/own"{% endmacro %}<p {% include "attributes.html" %} {{ live() }} {{ own() }}></p>',
      'attributes.html': '¦hx-get="/included"{% include "attributes.html" %}',
      'm.html': '{% macro live() %}¦sse-connect="/macro"{% endmacro %}'
    },
    routes: ['GET /a']
  },
  'blocks in a value or a name are text': {
    templates: {
      'layout.html': layout('class="{% block c %}hx-get="{% endblock %}" data-{% block n %}x{% endblock %}="/x" {% block connect %}{% endblock %}'),
      'a.html': child('¦hx-get="/a"')
    },
    routes: ['GET /x']
  },
  'a super() of nothing, and a super() of a block that has no parent': {
    templates: { 'page.html': '<p {{ super() }} ¦hx-get="/a"></p><i {% block a %}{{ super() }}{% endblock %} ¦hx-get="/b"></i>' },
    routes: ['GET /x']
  }
})

rule('sse-swap-unknown', {
  'the stream that a block connects to': {
    templates: {
      'layout.html': layout('{% block connect %}{% endblock %}'),
      'a.html': child('sse-connect="/a"', '<p sse-swap="a"></p><p ¦sse-swap="b"></p>'),
      'b.html': child('sse-connect="/b"', '<p ¦sse-swap="a"></p><p sse-swap="b"></p>'),
      'c.html': child('{{ attributes }}', '<p sse-swap="z"></p>'),
      'd.html': child('{{ unknown() }}', '<p sse-swap="z"></p>'),
      'e.html': child('{% include name %}', '<p sse-swap="z"></p>')
    },
    routes: ['GET /a events=a', 'GET /b events=b']
  },
  'a block that is there in some cases only': {
    templates: {
      'layout.html': layout('sse-connect="/a" {% if x %}{% block connect %}{% endblock %}{% endif %}'),
      'a.html': child('sse-connect="/b"', '<p sse-swap="b"></p><p ¦sse-swap="c"></p>')
    },
    routes: ['GET /a events=a', 'GET /b events=b']
  }
})

rule('sse-swap-outside', {
  'a page whose block connects, and one whose block does not': {
    templates: {
      'layout.html': layout('{% block connect %}{% endblock %}'),
      'a.html': child('sse-connect="/a"', '<p sse-swap="a"></p>'),
      'b.html': child('', '<p ¦sse-swap="a"></p>')
    },
    routes: ['GET /a stream']
  }
})

rule('not-a-stream', {
  'a block that connects to a page': {
    templates: { 'layout.html': layout('{% block connect %}{% endblock %}'), 'a.html': child('¦sse-connect="/page"'), 'b.html': child('sse-connect="/live"') },
    routes: ['GET /page', 'GET /live stream']
  }
})

rule('unreferenced-stream', {
  'a block that connects to one of two': {
    templates: { 'layout.html': layout('{% block connect %}{% endblock %}'), 'a.html': child('sse-connect="/a"') },
    routes: ['GET /a stream', 'GET /b stream'],
    finds: ['GET /b']
  }
})
