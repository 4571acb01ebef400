// What each rule finds, what it leaves alone, and what it must not be fooled by.
// A mark ¦ stands before what should be found.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { categories } from 'fastify-chirp/contracts'
import { checkCases, findings } from '../helpers/contracts.js'

const severityOf = name => categories.find(({ category }) => category === name).severity
const rule = (category, cases) => t.test(category, t => checkCases(t, category, severityOf(category), cases))

/** A whole page. */
const page = body => `<!doctype html>\n<html><body>\n${body}\n</body></html>\n`

rule('link', {
  'a link to no route': {
    templates: '<nav>\n  <a ¦href="/nwes">News</a>\n</nav>',
    routes: ['GET /news'],
    says: 'No route answers GET /nwes. Did you mean "/news"? Mend the address in href, or add the route.'
  },
  'a link to a route': { templates: '<a href="/news">News</a><a href="/news?page=2#top">2</a>', routes: ['GET /news'] },
  'a connection that a function prints': { templates: '<b {{ sse_connect("/a/" ~ x) }}></b><b ¦{{ sse_connect("/b?c=" ~ d) }}></b>', routes: ['GET /a/:x'] },
  'requests of htmx': {
    templates: '<b ¦hx-get="/a"></b><b ¦data-hx-post="/b"></b><b ¦hx-put="/c"></b><b ¦hx-patch="/d"></b><b ¦hx-delete="/e"></b>',
    routes: ['GET /', 'POST /']
  },
  'connections to streams': {
    templates: '<b ¦sse-connect="/a"></b><b ¦data-sse-connect="/a"></b><b ¦hx-sse:connect="/a"></b>',
    routes: ['GET /events']
  },
  'hx-action of htmx 4': { templates: '<b hx-action="/a" hx-method="put"></b><b ¦hx-action="/b"></b>', routes: ['PUT /a'] },
  'frames, and characters that are no text': { templates: 'a\0b <iframe ¦src="/nope"></iframe><iframe src="/a"></iframe>', routes: ['GET /a'] },
  'addresses that are elsewhere or unknown': {
    templates: '<a href="https://a.example/x">1</a><a href="//b.example">2</a><a href="mailto:a@b.c">3</a><a href="#top">4</a><a href="">5</a>' +
      '<a href="?page=2">6</a><a href="next">7</a><a href="javascript:go()">8</a><a href="/file.pdf" download>9</a><a href="/x" rel="noopener external">10</a>' +
      '<a>11</a><a href>12</a><a name="x" :href="/nope">13</a>'
  },
  parameters: {
    templates: '<a href="/users/7/edit">1</a><a href="/users/{{ id }}/edit">2</a><a ¦href="/users/{{ id }}/remove">3</a><a ¦href="/userz/{{ id }}">4</a>',
    routes: ['GET /users/:id/edit'],
    says: [
      'No route answers GET /users/{{ }}/remove. Mend the address in href, or add the route.',
      'No route answers GET /userz/{{ }}. Mend the address in href, or add the route.'
    ]
  },
  'an expression may be several segments, or none': {
    templates: '<a href="/docs/{{ path }}">1</a><a href="/docs{{ rest }}">2</a><a href="/{{ language }}/docs">3</a><a href="/docs/{{ a }}{{ b }}/{{ c }}">4</a>',
    routes: ['GET /docs', 'GET /docs/a/b', 'GET /:language/docs', 'GET /docs/x/y']
  },
  'patterns of find-my-way': {
    templates: '<a href="/at/{{ hour }}h{{ minute }}m">1</a><a href="/img/{{ name }}.png">2</a><a href="/opt/{{ x }}">3</a><a href="/opt">4</a>' +
      '<a href="/any/{{ a }}/{{ b }}">5</a><a href="/a:{{ b }}">6</a><a ¦href="/num/{{ n }}/x">7</a><a href="/n/{{ n }}">8</a><a ¦href="/img/{{ name }}.gif/x">9</a>',
    routes: ['GET /at/:hour(^\\d+)h:minute(^\\d+)m', 'GET /img/:file.png', 'GET /opt/:x?', 'GET /any/*', 'GET /a::b', 'GET /num/:n', 'GET /n/:n((a|b\\))+)']
  },
  'case and a slash at the end': {
    // The router is asked for what is known, and is strict by default.
    templates: '<a href="/News/{{ id }}/">1</a><a ¦href="/news/1/">2</a>',
    routes: ['GET /news/:id']
  },
  'an expression before the path is unknown': { templates: '<a href="{{ url_for(\'news\') }}">1</a><a href="{{ base }}/nope">2</a>', routes: ['GET /'] },
  'text that an expression holds': {
    templates: '<a ¦href="{{ \'/nope\' }}">1</a><a href="{{ "/users/" ~ id }}">2</a><a ¦href="{{ "/a" if x else "/b" }}">3</a><a ¦href="{{ (\'/no\' + \'pe\') | safe }}">4</a>' +
      '<a ¦href="{{ url or \'/nope\' }}">5</a><a href="{{ (1, 2) }}">6</a><a href="/a{{ none }}">7</a><a href="/{{ \'nope\' | upper }}">8</a>',
    routes: ['GET /users/:id', 'GET /a']
  },
  'what htmx sends in place of a link': { templates: '<a ¦href="/items/1" hx-delete="/items">1</a>', routes: ['DELETE /items'], severity: 'warning' },
  'conditions inside of a value': {
    templates: '<a href="/a{% if q %}?q={{ q }}{% endif %}">1</a><form ¦hx-post="{% if item %}/items/{{ item.id }}{% else %}/itmes{% endif %}"></form>' +
      "<a href='/a{# a comment #}'>2</a><a href=/a{% if x %}/b{% endif %}>3</a><a ¦href=\"/a{% for x in y %}/{{ x }}{% endfor %}/z\">4</a>",
    routes: ['GET /a', 'GET /a/b', 'POST /items/:id']
  },
  'conditions around an attribute': {
    templates: '<a {% if x %}¦href="/x"{% else %}href="/a"{% endif %}>1</a><a {%if x%}href="/a"{%else%}¦href="/y"{%endif%}{% if z %} class="z"{% endif %}>2</a>' +
      '<a{% if x %} ¦href="/z"{% endif %}>3</a>',
    routes: ['GET /a']
  },
  'names of attributes that are made': {
    templates: '<b hx-{{ method }}="/nope" {{ attributes }} data-{{ x }}-y="1" {% block b %}{% endblock %}></b><b data-{% if x %}a{% else %}b{% endif %}="/nope"></b>',
    routes: ['GET /a']
  },
  'many alternatives are unknown': {
    templates: '<a href="/{{ "a" if a }}{{ "b" if b }}{{ "c" if c }}{{ "d" if d }}{{ "e" if e }}">1</a>',
    routes: ['GET /x']
  },
  'strings with braces, raw blocks and comments': {
    templates: '<a ¦href="/nope">{{ "}} {% <a href=\'/x\'>" }}</a>\n{# <a href="/x"> #}\n{% raw %}<a ¦href="/raw">{{ x }}</a><a href="/r/{{ id }}">b</a>{% endraw %}\n' +
      '<!-- <a href="/x"> --><a ¦href="/nope2">2</a>{% verbatim %}<a ¦href="/v">3</a>{% endverbatim %}',
    routes: ['GET /r/:id']
  },
  'what is not where the tree says, because an extension has changed the source': {
    templates: '<a href="/one">1</a>{% wrap %}{% endwrap %}<a href="/two">2</a>',
    tags: ['wrap'],
    preprocess: source => source.replace('<a href="/one">1</a>', 'Something that is not in the file. '),
    routes: ['GET /']
  },
  'whitespace control': {
    templates: 'x  {%- if a -%}  <a ¦href="/n1">1</a>  {%- endif -%}\n\n  <a ¦href="/n2">{{- b -}}</a>\n{#- c -#}  <a ¦href="/n3">3</a>',
    routes: ['GET /']
  },
  'Windows lines, and characters of two units': { templates: '<p>😀</p>\r\n<a ¦href="/nope">😀</a>\r\n  <a\r\n  ¦href="/nope">b</a>', routes: ['GET /'] },
  'entities in a value': { templates: '<a href="/a?x=1&amp;y=2">1</a><a href="/caf&eacute;">2</a>', routes: ['GET /a', 'GET /café'] },
  'text that looks like tags': {
    templates: '<script>const x = \'<a href="/s">\'</script><style>a::after { content: "<a href=\'/t\'>" }</style><textarea><a href="/u"></textarea>' +
      '<title><a href="/v"></title><template><a href="/w"></a></template><a title="> <a href=\'/x\'>" ¦href="/nope">1</a>',
    routes: ['GET /']
  },
  'a script that is not closed': { templates: '<a ¦href="/nope">1</a><script>{% include "x.html" %}<a href="/x">', routes: ['GET /'] },
  'includes inside of tags, scripts and comments': {
    templates: {
      'page.html': '<div {% include "attributes.html" %}></div><script>{% include "code.js" %}</script><!-- {% include "x.html" %} -->',
      'attributes.html': 'class="a"',
      'code.js': 'const html = "<a>"',
      'x.html': '<p></p>'
    }
  },
  'blocks that are placed inside of a title or script': {
    templates: {
      'layout.html': '<title>{% block title %}{% endblock %}</title><script>{% block script %}{% endblock %}</script><body class="{% block c %}{% endblock %}">{% block body %}{% endblock %}',
      'page.html': '{% extends "layout.html" %}{% block title %}<a href="/t">{% endblock %}{% block script %}x = "<a href=\'/s\'>"{% endblock %}' +
        '{% block c %}"{% endblock %}{% block body %}<a ¦href="/nope">1</a>{% endblock %}'
    },
    routes: ['GET /']
  },
  'what a partial has is reported once': {
    templates: {
      'nav.html': '<a ¦href="/nope">1</a>',
      'a.html': '{% include "nav.html" %}',
      'b.html': '{% include "nav.html" %}{% include "./nav.html" %}',
      'c/d.html': '{% extends "../layout.html" %}',
      'layout.html': '{% block nav %}{% include "nav.html" %}{% endblock %}'
    },
    routes: ['GET /']
  },
  'macros, calls, captures, filters, switches and loops': {
    templates: '{% macro m() %}<a ¦href="/1">1</a>{{ caller() }}{% endmacro %}{% call m() %}<a ¦href="/2">2</a>{% endcall %}' +
      '{% call unknown() %}<a ¦href="/3">3</a>{% endcall %}{% set x %}<a ¦href="/4">4</a>{% endset %}{% filter upper %}<a ¦href="/5">5</a>{% endfilter %}' +
      '{% switch y %}{% case 1 %}<a ¦href="/6">6</a>{% default %}<a ¦href="/7">7</a>{% endswitch %}' +
      '{% for a in b %}<a ¦href="/8">8</a>{% else %}<a ¦href="/9">9</a>{% endfor %}{% if a %}{% elif b %}<a ¦href="/10">10</a>{% endif %}' +
      '{% asyncEach a in b %}<a ¦href="/11">11</a>{% endeach %}{% ifAsync a %}<a ¦href="/12">12</a>{% endif %}',
    routes: ['GET /x']
  },
  'macros of other templates': {
    templates: {
      'macros.html': '{% macro a() %}<a ¦href="/1">1</a>{% endmacro %}{% macro b() %}<a href="/x">{{ caller() }}</a>{% endmacro %}',
      'page.html': '{% import "macros.html" as ui %}{% from "macros.html" import a, b as c %}{{ ui.a() }}{{ a() }}{{ c() }}{{ ui.other() }}{{ x.y.z() }}{{ x[y]() }}' +
        '{% call c() %}<a ¦href="/2">2</a>{% endcall %}{% call ui.b(1, x=2) %}{{ super() }}<a ¦href="/3">3</a>{% endcall %}'
    },
    routes: ['GET /x']
  },
  'templates that include each other': {
    templates: { 'page.html': '<a ¦href="/nope">1</a>{% include "reply.html" %}', 'reply.html': '<a ¦href="/nope">2</a>{% include "page.html" %}' },
    routes: ['GET /x']
  },
  'templates that extend each other': {
    templates: {
      'a.html': '{% extends "b.html" %}{% block x %}<a ¦href="/nope">1</a>{% endblock %}',
      'b.html': '{% extends "a.html" %}{% if c %}{% block y %}<a ¦href="/nope">2</a>{% endblock %}{% endif %}'
    },
    routes: ['GET /x']
  },
  'a template that extends more than can be followed': {
    templates: {
      'page.html': `${Array.from({ length: 70 }, (_, index) => `{% if a == ${index} %}{% extends "layout.html" %}{% endif %}`).join('')}{% block x %}<a ¦href="/nope">1</a>{% endblock %}`,
      'layout.html': '{% block x %}{% endblock %}'
    },
    routes: ['GET /x']
  },
  'includes that multiply': {
    templates: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}.html`, `<a ¦href="/nope">1</a>{% include "${index + 1}.html" %}{% include "${index + 1}.html" %}`])
      .concat([['20.html', '']])),
    routes: ['GET /x']
  },
  'what a child has outside of its blocks is not rendered': {
    templates: { 'layout.html': '<p></p>', 'page.html': '{% extends "layout.html" %}<a href="/nope">1</a>' },
    routes: ['GET /x']
  },
  'overridden blocks, super and nested blocks': {
    templates: {
      'base.html': '{% block a %}{{ super() }}<a ¦href="/1">1</a>{% endblock %}',
      'middle.html': '{% extends "base.html" %}{% block a %}{{ super() }}{% block b %}<a ¦href="/2">2</a>{% endblock %}{% endblock %}',
      'page.html': '{% extends "middle.html" %}{% block b %}<a ¦href="/3">3</a>{{ super() }}{% endblock %}{% block alone %}{{ super() }}<a ¦href="/4">4</a>{% endblock %}'
    },
    routes: ['GET /x']
  },
  'a route that the router knows and the list does not': {
    templates: '<a href="/any/thing">1</a><a href="/any/{{ x }}">2</a>',
    routes: ['GET /any/*']
  },
  'a page without templates of its own': { templates: {}, routes: ['GET /x'] }
})

rule('form', {
  'a form to no route': {
    templates: '<form ¦action="/contcat" method="post"></form>',
    routes: ['POST /contact'],
    says: 'No route answers POST /contcat. Did you mean "/contact"? Mend the address in action, or add the route.'
  },
  'a form to a route, to its own page, and a dialog': {
    templates: '<form action="/search"></form><form method="post"></form><form action="" method="post"></form><form action="/x" method="dialog"></form>',
    routes: ['GET /search']
  },
  'a button with an address of its own': {
    templates: '<form action="/a" method="post"><button ¦formaction="/b">1</button><button formaction="/a">2</button><input type="submit" formaction="/c" formmethod="get"></form>',
    routes: ['POST /a', 'GET /c']
  },
  'a method that forms do not have': {
    templates: '<form action="/a" ¦method="DELETE"></form><form><button ¦formmethod="delete"></button></form>',
    routes: ['GET /a'],
    severity: 'warning',
    says: ['method="delete" is sent as GET', 'formmethod="delete" is sent as GET'].map(what => `Forms know get and post; ${what}. Use post, or hx-delete with htmx`)
  },
  'a method that an expression makes': {
    templates: '<form action="/a" method="{{ method }}"></form><form action="/a" {% if x %}method="put"{% endif %}></form><form {{ attributes }} action="/a"></form>',
    routes: ['PUT /a']
  },
  'methods on other elements': { templates: '<div method="put"></div><form method></form>' }
})

rule('method', {
  'a link to a route that only takes a POST': {
    templates: '<a ¦href="/logout">Leave</a>',
    routes: ['POST /logout'],
    says: 'href sends GET to /logout, which takes POST. Use that, or add a route for GET'
  },
  'requests with the right method': {
    templates: '<b hx-get="/a"></b><b hx-post="/a"></b><b hx-delete="/a"></b><form action="/a" method="POST"></form><form action="/a"></form>',
    routes: ['GET /a', 'POST /a', 'DELETE /a']
  },
  'requests and forms with the wrong one': {
    templates: '<b ¦hx-put="/a"></b><form ¦action="/a"></form><form ¦action="/b" method="post"></form><button ¦formaction="/b" formmethod="POST"></button><b ¦sse-connect="/a"></b>',
    routes: ['POST /a', 'GET /b']
  },
  parameters: { templates: '<b ¦hx-put="/items/{{ id }}"></b><b ¦hx-put="/items/1"></b>', routes: ['GET /items/:id', 'DELETE /items/:id'] },
  'a method that cannot be told': {
    templates: '<button formaction="/a"></button><b hx-action="/a"></b><a href="/a" data-method="delete">1</a><a href="/a" data-turbo-method="post">2</a><form {{ x }} action="/a"></form>' +
      '<button formaction="/b/{{ x }}"></button>',
    routes: ['POST /a', 'POST /b/:x']
  },
  'what htmx sends in place of a form or a link': {
    templates: '<form ¦action="/a" hx-put="/a"></form><a ¦href="/a" hx-action="/b">1</a>', routes: ['PUT /a', 'POST /b'], severity: 'warning'
  },
  'a form that overrides its method': {
    templates: '<form action="/a" method="post"><p><input type="hidden" name="_method" value="delete"></p></form><form ¦action="/a" method="post"><input name="x"></form>',
    routes: ['DELETE /a']
  },
  'in a template element nothing is sent': { templates: '<template><a href="/a">1</a></template>', routes: ['POST /a'] },
  'a route that something else answers': { templates: '<a href="/old/a">1</a>', routes: ['POST /a'], contracts: { external: ['/old/*'] } }
})

rule('asset', {
  'files that no route serves': {
    templates: '<link rel="stylesheet" ¦href="/app.css"><script ¦src="/app.js"></script><img ¦src="/{{ x }}/a.png"><svg><use ¦href="/icons.svg#a"/></svg>',
    routes: ['GET /'],
    says: [
      'No route answers GET /app.css. Mend the address in href, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /app.js. Mend the address in src, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /{{ }}/a.png. Mend the address in src, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /icons.svg. Mend the address in href, or add the route. Nothing is wrong if a proxy serves it'
    ]
  },
  'a link to a file': {
    templates: '<a ¦href="/files/report.pdf">1</a><a href="/feed.xml">2</a><a href="/a.{{ x }}">3</a>',
    routes: ['GET /feed.xml', 'GET /:x'],
    says: 'No route answers GET /files/report.pdf. Mend the address in href, or add the route. Nothing is wrong if a proxy serves it'
  },
  'a wildcard serves all': { templates: '<script src="/static/app.js"></script><img src="/static/{{ x }}.png">', routes: ['GET /static/*'] },
  'files elsewhere, and elements that fetch nothing': { templates: '<script src="https://a.example/x.js"></script><img src="data:image/png;base64,x"><div src="/x"></div><base href="/y">' }
})

rule('unknown-url', {
  'addresses that only expressions know': {
    templates: { 'page.html': '<a ¦href="{{ url_for(\'a\') }}">1</a><a href="{{ urls.b }}">2</a>', 'other.html': '<form ¦action="{{ x }}/a"></form>' },
    says: ['An address', '2 addresses'].map(what => `${what} of this template, first this one, cannot be told before it is rendered. To have them checked, begin them with a literal path`)
  },
  'addresses that begin with a path': { templates: '<a href="/a/{{ x }}">1</a><a href="#{{ x }}">2</a><a href="https://{{ host }}/">3</a>', routes: ['GET /a/:x'] },
  'in a template element': { templates: '<template><a href="{{ x }}"></a></template>' }
})

rule('orphan', {
  'a route that no template leads to': {
    templates: '<a href="/a">1</a>',
    routes: ['GET /a', 'GET /b'],
    finds: ['GET /b'],
    says: 'No template leads to GET /b. If something else does, mark the route with referenced: true'
  },
  'each method of a path': { templates: '<a href="/a">1</a>', routes: ['GET /a', 'POST /a', 'PUT /a'], finds: ['POST /a'], says: 'No template leads to POST, PUT /a. If something else does, mark the route with referenced: true' },
  'routes that need no link': {
    templates: '<p></p>',
    routes: ['GET /', 'GET /users/:id', 'GET /static/*', 'GET /a referenced', 'GET /b events=x', 'GET /robots.txt', 'OPTIONS /c', 'HEAD /d']
  },
  'all ways to lead to a route': {
    templates: {
      'page.html': '<a href="/{{ x }}">1</a><form action="/b" method="post"></form><button formaction="/c"></button><div sse-connect="/d"></div><script>fetch("/e?x=1")</script>{{ link("/f") }}{{ link("/h") }}',
      'partial.html': '<template><a href="/g"></a></template>'
    },
    routes: ['GET /a', 'POST /b', 'POST /c', 'GET /d', 'GET /e', 'GET /f', 'GET /g', 'GET /h/']
  },
  'a route for all methods is used with one': { templates: '<a href="/a">1</a>', routes: ['ALL /a', 'ALL /b'], finds: ['GET /b'] },
  'an app without templates has nothing that could lead anywhere': { routes: ['GET /a'], settings: { templates: undefined } }
})

rule('not-a-stream', {
  'a connection to a page': {
    templates: '<div ¦sse-connect="/news"></div>',
    routes: ['GET /news'],
    says: 'sse-connect connects to /news, whose route opens no stream. Answer with reply.eventStream() there, or connect to another route'
  },
  'a connection to a stream': { templates: '<div sse-connect="/a"></div><div hx-sse:connect="/b"></div>', routes: ['GET /a stream', 'GET /b events=x'] },
  'with parameters': {
    templates: '<div ¦hx-sse:connect="/a/{{ id }}"></div><div sse-connect="/b/{{ id }}"></div>',
    routes: ['GET /a/:id', 'GET /b/:id', 'GET /b/live stream']
  },
  'a handler that does not tell': { templates: '<div sse-connect="/a"></div><div sse-connect="/b"></div>', routes: ['GET /a unknown'] },
  'in a template element': { templates: '<template><div sse-connect="/a"></div></template>', routes: ['GET /a'] }
})

rule('unreferenced-stream', {
  'a stream that nobody opens': {
    templates: '<p></p>',
    routes: ['GET /live stream'],
    finds: ['GET /live'],
    says: 'No template connects to the stream GET /live. Add sse-connect="/live", or mark the route with referenced: true if something else opens it'
  },
  'streams that somebody opens': {
    templates: '<div sse-connect="/a"></div><div hx-sse:connect="/b/{{ x }}"></div><script>new EventSource(`/c?x`)</script><form hx-post="/d"></form>' +
      '<div {{ sse_connect("/e/" ~ x) }} {{ sse_swap() }} {{ other("/f") }}></div><div {{ sse_connect }} {{ x.sse_connect("/z") }}></div>',
    routes: ['GET /a stream', 'GET /b/:x stream', 'GET /c stream', 'POST /d stream', 'GET /e/:x stream', 'GET /f stream', 'GET /g stream referenced']
  },
  'while a connection is unknown': { templates: '<div sse-connect="{{ url }}"></div>', routes: ['GET /live stream'], finds: ['GET /live'], severity: 'info' },
  'an app without templates': { routes: ['GET /live stream', 'GET /other'], settings: { templates: undefined }, finds: ['GET /live'], severity: 'info' }
})

rule('sse-swap-unknown', {
  'an event that the route does not declare': {
    templates: '<div sse-connect="/live"><p ¦sse-swap="peopel"></p></div>',
    routes: ['GET /live events=people,machine'],
    says: 'No stream here sends "peopel", which sse-swap waits for. Did you mean "people"? Its route declares "people" and "machine": mend the name, or add it to the events of the route'
  },
  'lists, and the names that need no declaration': {
    templates: '<div sse-connect="/live" sse-swap="a"><p sse-swap="a,b , message,"></p><p sse-swap="chirp:error"></p><p data-sse-swap="b"></p><p ¦sse-swap="a, c"></p>' +
      '<p hx-get="/live" hx-trigger="sse:a, click, sse:b[x] delay:1s"></p><p hx-get="/live" ¦hx-trigger="sse:d"></p><p hx-trigger="click"></p></div>',
    routes: ['GET /live events=a,b']
  },
  'a name that no version of the plugin sends': {
    templates: '<div sse-connect="/live"><p ¦sse-swap="chirp:gpa"></p></div><p ¦sse-swap="chirp:closed"></p>',
    routes: ['GET /live stream'],
    says: [
      'No stream here sends "chirp:gpa", which sse-swap waits for. Did you mean "chirp:gap"? The plugin sends "chirp:open", "chirp:error", "chirp:closing", "chirp:busy", "chirp:gap" and "chirp:retry"',
      'No stream here sends "chirp:closed", which sse-swap waits for. Did you mean "chirp:closing"? The plugin sends "chirp:open", "chirp:error", "chirp:closing", "chirp:busy", "chirp:gap" and "chirp:retry"'
    ]
  },
  'the helpers of templates': {
    templates: '<div {{ sse_connect("/live") }}{{ sse_close("end") }}><p {{ sse_swap("a") }}></p><p class="x" ¦{{ sse_swap("b") }}></p><p {{ sse_swap("message") }} {{ sse_swap(x) }}></p></div>' +
      '<div {{ sse_connect("/live") }} {% if x %}¦{{ sse_close("edn") }}{% endif %}></div><div {{ sse_connect("/li" ~ x) }}><p {{ sse_swap("c") }}></p></div>',
    source: "reply.eventStream([], { closeEvent: 'end' })",
    routes: ['GET /live events=a', 'GET /like events=c'],
    says: ['No stream here sends "b", which sse_swap() waits for. Its route declares "a": mend the name, or add it to the events of the route',
      'No stream here sends "edn", which sse_close() waits for. Its route declares "a": mend the name, or add it to the events of the route']
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
    says: 'GET /live declares "b", and no template that connects to it listens. Add sse-swap="b", or take it from the events of the route'
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
    says: ['bye', 'doen'].map(name => `No template waits for "${name}", which ends a stream. Add sse-close="${name}" where that is connected, or mend the name`).reverse(),
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
    ].map(([name, why]) => `"${name}" is no good name for an event: ${why}. Choose another`)
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
      'No element has the id "mian", which hx-target means. Did you mean "main"? Give the target that id, or mend the name',
      'No element has the id "x", which hx-target:inherited means. Give the target that id, or mend the name'
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
      'No other element has the id "a", which hx-swap-oob means. Give the target that id, or mend the name',
      'No other element has the id "c", which hx-swap-oob means. Give the target that id, or mend the name'
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
      'Nothing takes a fragment for "newz": no sse-swap="newz" and no element with that id. Did you mean "news"? Mend the name on either side',
      'Nothing takes a fragment for "#clokc": no sse-swap="#clokc" and no element with that id. Did you mean "clock"? Mend the name on either side'
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

const IMPORT = "import { Fragment as Piece } from 'fastify-chirp'\nimport * as chirp from 'fastify-chirp'\n"

rule('fragment', {
  'a block that does not exist': {
    templates: '{% block people %}{% endblock %}{% block machine %}{% endblock %}',
    source: `${IMPORT}new Piece('page.html', ¦'peple', { a: 1 })\n`,
    says: '"page.html" has no block "peple"; it has "people" and "machine". Did you mean "people"? Mend the name, or add the block'
  },
  'a template that does not exist': {
    templates: '{% block a %}{% endblock %}',
    source: `${IMPORT}new chirp.Fragment(¦'pgae.html', 'a')\n`,
    says: 'There is no template "pgae.html". Did you mean "page.html"? Mend the name, or add the template'
  },
  'what exists, in the template and in those that it extends': {
    templates: { 'base.html': '{% block a %}{% block b %}{% endblock %}{% endblock %}', 'page.html': '{% extends "base.html" %}{% block c %}{% endblock %}' },
    source: `${IMPORT}for (const block of ['x']) new Piece('page.html', block)\nnew Piece('page.html', 'a'); new Piece('page.html', 'b'); new Piece('page.html', 'c'); new Piece('base.html', ¦'c')\n`
  },
  replies: {
    templates: '{% block a %}{% endblock %}',
    source: "app.get('/', (request, reply) => reply.page(¦'x.html'))\napp.get('/', (request, reply) => reply.code(200).type('text/html').fragment('page.html', ¦'z', {}))\n" +
      "async function show (request, reply) { await reply.page('page.html', {}, { block: ¦'y' }); return reply.page('page.html', {}, options) }\n" +
      "reply.page(); reply.view('elsewhere.ejs'); other.page('nope.html'); page('nope.html'); reply['page']('nope.html'); this.reply.page('nope.html')\n",
    says: ['"page.html" has no block "z"; it has "a".', '"page.html" has no block "y"; it has "a".'].map(text => `${text} Mend the name, or add the block`)
      .toSpliced(0, 0, 'There is no template "x.html". Mend the name, or add the template')
  },
  'constants, template literals and choices': {
    templates: '{% block a %}{% endblock %}',
    source: `${IMPORT}const PAGE = 'page.html'\nconst NAME = \`\${PAGE}x\`\nconst COPY = (PAGE)\nnew Piece(PAGE, ¦'b')\nnew Piece(¦NAME, 'a')\nnew Piece(COPY, ¦'b')\nnew Piece('pa' + 'ge.html', ¦x ? 'a' : 'c')\n` +
      'new Piece(PAGE, 1 + 2)\nnew Piece(later, "a")\nconst later = "zzz.html"\nlet changing = "nope.html"\nnew Piece(changing, "a")\nnew Piece(`page.$' + '{x}`, "a")\nnew Piece(...all)\nnew Piece()\nString.raw`\\u{`\nnew Piece(x * 2, "a")\n'
  },
  'a name that is declared twice may mean either': {
    source: `${IMPORT}function a () { const NAME = 'a.html'; return new Piece(NAME, 'x') }\nfunction b (NAME) { return new Piece(NAME, 'x') }\n` +
      'class Fragment {}\nnew Fragment("nope.html", "x")\ntry { } catch (error) { } try { } catch { }\nexport default class {}\nexport function c ([d, { e = 1, f: g, ...h }], i = 2) {}\n'
  },
  'only the Fragment of the plugin': {
    source: "import { Fragment, other as Fragment2 } from 'elsewhere'\nimport chirp from 'fastify-chirp'\nnew Fragment('nope.html', 'x'); new Fragment2('nope.html', 'x'); new chirp.Fragment('nope.html', 'x'); new a.b.Fragment('nope.html', 'x'); new Unknown('nope.html', 'x'); new (f())('x')\n"
  },
  'CommonJS, TypeScript and JSX': {
    templates: '{% block a %}{% endblock %}',
    source: {
      'a.cjs': "const { Fragment, SSEEvent: Event, ...rest } = require('fastify-chirp')\nconst chirp = require('fastify-chirp')\nnew Fragment('page.html', ¦'b'); new chirp.Fragment(¦'x.html', 'a')\nrequire(a, b)\n",
      'b.mts': "import { Fragment, type Value } from 'fastify-chirp'\nconst name = 'x.html' as const\nconst f = <T>(x: T): Fragment => new Fragment(¦name!, 'a' satisfies string)\n",
      'c.jsx': "import { 'Fragment' as F } from 'fastify-chirp'\nexport const C = () => <p>{new F(¦'x.html', 'a')}</p>\n",
      'd.js': "const { 'Fragment': F, [a]: b, c: { d } } = await import('fastify-chirp')\nconst e = await import('elsewhere'), [g] = await import('fastify-chirp')\nnew F(¦'x.html', 'a')\n",
      'e.cjs': "with (a) { new Fragment('x.html', 'a') }\n"
    }
  },
  'templates whose blocks cannot all be told': {
    templates: { 'a.html': '{% extends layout %}{% block a %}{% endblock %}', 'b.html': '{% extends "broken.html" %}', 'broken.html': '{% if %}', 'c.html': 'no blocks' },
    source: `${IMPORT}new Piece('a.html', 'x'); new Piece('b.html', 'x'); new Piece('broken.html', 'x'); new Piece('c.html', ¦'x')\n`,
    says: '"c.html" has no block "x"; it has no blocks. Mend the name, or add the block'
  },
  'an app without templates': { source: `${IMPORT}new Piece('x.html', 'a')\n`, settings: { templates: undefined } }
})

rule('missing-template', {
  'names of templates that do not exist': {
    templates: { 'page.html': '{% extends ¦"layuot.html" %}', 'layout.html': '{% include ¦"x.html" %}{% import ¦"y.html" as y %}{% from ¦"./z.html" import z %}{% if a %}{% include ¦"w.html" %}{% endif %}' },
    says: [
      'There is no template "x.html" to include. Mend the name, or add the template',
      'There is no template "y.html" to import. Mend the name, or add the template',
      'There is no template "z.html" to import. Mend the name, or add the template',
      'There is no template "w.html" to include. Mend the name, or add the template',
      'There is no template "layuot.html" to extend. Did you mean "layout.html"? Mend the name, or add the template'
    ]
  },
  'what exists, is optional or is not known': {
    templates: { 'page.html': '{% extends "a/layout.html" %}', 'a/layout.html': '{% include "./b.html" %}{% include "../c.html" %}{% include x %}{% include "x.html" ignore missing %}', 'a/b.html': '', 'c.html': '' }
  },
  'a template that is not listed, and a broken one': { templates: { 'page.html': '{% include "data.txt" %}{% include "broken.html" %}', 'data.txt': '{% include ¦"other.txt" %}', 'broken.html': '{% if %}' } }
})

rule('unknown-block', {
  'a block that no parent has': {
    templates: { 'layout.html': '{% block content %}{% endblock %}', 'page.html': '{% extends "layout.html" %}{% ¦block contnet %}{% endblock %}' },
    source: 'export {}',
    says: 'No template that this one extends has the block "contnet", so no page shows it. Did you mean "content"? Mend the name, or add the block there'
  },
  'blocks that are placed': {
    templates: {
      'base.html': '{% block a %}{% endblock %}',
      'layout.html': '{% extends "base.html" %}{% block a %}{% block b %}{% endblock %}{% endblock %}',
      'page.html': '{% extends "layout.html" %}{% block a %}{% block own %}{% endblock %}{% endblock %}{% block b %}{% endblock %}',
      'alone.html': '{% block x %}{% endblock %}'
    }
  },
  'a block that is rendered alone': { templates: { 'layout.html': '', 'page.html': '{% extends "layout.html" %}{% block row %}{% endblock %}' }, source: "reply.fragment('page.html', 'row')" },
  'while the source is not known': { templates: { 'layout.html': '', 'page.html': '{% extends "layout.html" %}{% ¦block row %}{% endblock %}' }, severity: 'info' },
  'a parent that is not known': { templates: { 'page.html': '{% extends layout %}{% block row %}{% endblock %}', 'b.html': '{% if x %}{% extends "c.html" %}{% endif %}{% block x %}{% endblock %}', 'c.html': '' } }
})

rule('dead-template', {
  'a template that nothing names': {
    templates: { 'page.html': '{% include "part.html" %}', 'part.html': '', 'old.html': '' },
    source: "reply.page('page.html')",
    finds: ['old.html'],
    says: 'Nothing renders "old.html": neither the source nor another template names it. Remove it if it is not used'
  },
  'names without an extension, in variables, with paths, and partly known': {
    templates: { 'a.html': '{% include "parts/" ~ x ~ ".html" %}{% include y %}{{ render("d.html") }}', 'b.html': '', 'c/c.html': '', 'd.html': '', 'parts/e.html': '', 'mail/f.html': '', 'dead.html': '' },
    source: "reply.view('a'); const names = { b: './views/b.html' }; render('c/' + 'c.html'); send(`mail/$" + '{x}.html`); go(`${' + 'x}`)',
    finds: ['dead.html']
  },
  'while the source is not known': { templates: { 'old.html': '' } },
  'a template that names itself only': { templates: { 'old.html': '{{ x("old.html") }}' }, source: 'export {}', finds: ['old.html'] }
})

rule('template-error', {
  'a template that does not parse': {
    templates: '<p>\n  {{ name | ¦}}\n</p>',
    says: 'This template does not parse: expected symbol, got variable-end'
  },
  'the others are checked': { templates: { 'a.html': '{% include "b.html" %}', 'b.html': '{% if ¦%}', 'c.html': '<p></p>' } },
  'a comment that does not end': { templates: '\n{# a¦', says: 'This template does not parse: expected end of comment, got end of file' }
})

rule('source-error', {
  'a file that does not parse': {
    source: { 'a.js': 'const a =\n  ¦= 1\n', 'b.mjs': 'const ¦const', 'c.js': 'export {}' },
    says: ['Unexpected token', "Unexpected keyword 'const'"].map(what => `This file does not parse, and is left out of the check: ${what}`)
  },
  'what is newer than the rest': { source: 'using (x); export const a = await b\nreturn\n@decorated class A { accessor x = 1 }\nimport data from "./x.json" with { type: "json" }\n' }
})

t.test('docs/contracts.md has each rule with its severity, and what it says is broken and mended is so', async t => {
  const docs = readFileSync(new URL('../../docs/contracts.md', import.meta.url), 'utf8')
  const sections = docs.slice(docs.indexOf('\n## Rules\n')).split('\n#### ').slice(1)
  const documented = sections.map(section => /^([a-z-]+)\n\n`(\w+)`\. /.exec(section)?.slice(1))
  t.strictSame(documented, categories.map(({ category, severity }) => [category, severity]))
  for (const [index, section] of sections.entries()) {
    const { category, severity } = categories[index]
    const routes = [...(/^Routes: (.*)$/m.exec(section)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, route]) => route)
    const shared = section.includes('\nTemplates: a shared environment\n')
    const [broken, mended, ...more] = [...section.matchAll(/```html\n(.*?)```/gs)].map(([, text]) => filesOf(text))
    t.strictSame(more, [], `${category} has two examples`)
    await t.test(`${category}: broken`, async t => {
      const { issues } = await findings(t, { ...broken, routes, shared })
      t.strictSame(issues.filter(issue => issue.category === category).map(({ severity }) => severity), [severity])
    })
    await t.test(`${category}: mended`, async t => {
      const { issues } = await findings(t, { ...mended, routes, shared })
      t.strictSame(issues.filter(issue => issue.category === category), [])
    })
  }
})

// An example has one page, or begins each of its files with its name in a comment.
function filesOf (text) {
  const files = { templates: {}, source: {} }
  let name = 'page.html'
  for (const line of text.split('\n')) {
    const [, template, source] = /^\{# (\S+) #\}$|^\/\/ (\S+)$/.exec(line) ?? []
    name = template ?? source ?? name
    if (template !== undefined || source !== undefined) continue
    const group = name.endsWith('.js') ? files.source : files.templates
    group[name] = `${group[name] ?? ''}${line}\n`
  }
  return files
}

t.test('a summary is one sentence', async t => {
  for (const { category, summary } of categories) t.match(summary, /^[^.]*(?:\.{3}[^.]*)?\.$/, category)
})
