// What the rules about addresses and routes find, and what they must not be fooled by.
// A mark ¦ stands before what should be found.
import { rule } from '../helpers/contracts.js'

rule('link', {
  'a link to no route': {
    templates: '<nav>\n  <a ¦href="/nwes">News</a>\n</nav>',
    routes: ['GET /news'],
    says: 'No route answers GET /nwes. Did you mean "/news"? Correct the address in href, or add the route.'
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
  'frames, and characters that are not text': { templates: 'a\0b <iframe ¦src="/nope"></iframe><iframe src="/a"></iframe>', routes: ['GET /a'] },
  'addresses that are elsewhere or unknown': {
    templates: '<a href="https://a.example/x">1</a><a href="//b.example">2</a><a href="mailto:a@b.c">3</a><a href="#top">4</a><a href="">5</a>' +
      '<a href="?page=2">6</a><a href="next">7</a><a href="javascript:go()">8</a><a href="/file.pdf" download>9</a><a href="/x" rel="noopener external">10</a>' +
      '<a>11</a><a href>12</a><a name="x" :href="/nope">13</a>'
  },
  parameters: {
    templates: '<a href="/users/7/edit">1</a><a href="/users/{{ id }}/edit">2</a><a ¦href="/users/{{ id }}/remove">3</a><a ¦href="/userz/{{ id }}">4</a>',
    routes: ['GET /users/:id/edit'],
    says: [
      'No route answers GET /users/{{ }}/remove. Correct the address in href, or add the route.',
      'No route answers GET /userz/{{ }}. Correct the address in href, or add the route.'
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
    says: 'No route answers POST /contcat. Did you mean "/contact"? Correct the address in action, or add the route.'
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
      'No route answers GET /app.css. Correct the address in href, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /app.js. Correct the address in src, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /{{ }}/a.png. Correct the address in src, or add the route. Nothing is wrong if a proxy serves it',
      'No route answers GET /icons.svg. Correct the address in href, or add the route. Nothing is wrong if a proxy serves it'
    ]
  },
  'a link to a file': {
    templates: '<a ¦href="/files/report.pdf">1</a><a href="/feed.xml">2</a><a href="/a.{{ x }}">3</a>',
    routes: ['GET /feed.xml', 'GET /:x'],
    says: 'No route answers GET /files/report.pdf. Correct the address in href, or add the route. Nothing is wrong if a proxy serves it'
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
