// Templates, source and routes that nobody writes by hand, and what the checker
// says of each. All are small to store, and were slow or deadly to read.
const repeat = (count, make) => Array.from({ length: count }, (_, index) => make(index)).join('')
const list = (count, make) => Array.from({ length: count }, (_, index) => make(index))
const files = (count, make) => Object.fromEntries(list(count, make))

/** A link that leads nowhere: it is found if the rest is checked. */
const DEAD = '<a href="/dead">1</a>'
const PAGE = 'import { Fragment } from \'fastify-chirp\'\n'
const unknownPage = 'export const dead = new Fragment(\'dead.html\')\n'
const html = body => `<html><body>${DEAD}${body}</body></html>`
export const js = body => `${PAGE}${unknownPage}${body}\n`

/**
 * `finds` are categories with the file or template that must be among the findings; `lacks` are those that must not.
 * Besides, each case has a template and a source file with one fault each, which must be found.
 */
export const cases = {
  // The shape of a template.
  '50,000 div that are not closed': () => ({ template: html(repeat(50_000, () => '<div>')), finds: ['template-error page.html'] }),
  '20,000 p and end tags of nothing': () => ({ template: html(repeat(400, () => '<div>') + repeat(60_000, () => '</x>')), finds: ['link page.html'] }),
  '400 div in each other': () => ({ template: html(repeat(400, () => '<div>') + repeat(400, () => '</div>') + DEAD), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  '60,000 attributes': () => ({ template: html(`<p ${repeat(60_000, index => `a${index}="x" `)}>`), finds: ['template-error page.html'] }),
  '20,000 attributes of htmx 4': () => ({ template: html(`<p ${repeat(20_000, index => `hx-status:${index}="/x" `)}>`), finds: ['template-error page.html'] }),
  '20,000 tags with expressions as attributes': () => ({ template: html(repeat(15_000, index => `<b {{ a${index}(1) }}></b>`)), finds: ['link page.html'] }),
  'attributes of 2 MB': () => ({ template: html(`<p id="${'x'.repeat(2e6)}" hx-target="#${'y'.repeat(2e6)}" class="${'a '.repeat(5e5)}">`), finds: ['link page.html'] }),
  'an address of 20 kB with expressions': () => ({ template: html(`<a href="/x{{ a }}${'/y'.repeat(10_000)}{{ b }}z"></a><a href="/${'{{ a }}/'.repeat(5_000)}"></a>`), routes: [`GET /x${'/y'.repeat(10_000)}z`, 'GET /x*', 'GET /:a/:b/*'], finds: ['link page.html'] }),
  'an address of 200 kB': () => ({ template: html(`<a href="/${'x/'.repeat(1e5)}"></a><a href="/${'{-'.repeat(1e5)}"></a><a href="/${'(a+)+'.repeat(2e4)}"></a>`), finds: ['link page.html'] }),
  '5,000 events in one attribute': () => ({ template: html(`<p sse-connect="/live"><i sse-swap="${repeat(5_000, index => `ab${index},`)}"></i></p>`), routes: [`GET /live events=${list(2_000, index => `cd${index}`)}`], finds: ['sse-swap-unknown page.html'] }),
  '100,000 texts': () => ({ template: html(repeat(100_000, () => 'x{{ a }}')), finds: ['link page.html'] }),
  '100,000 elements': () => ({ template: html(repeat(100_000, () => '<p>x</p>')), finds: ['template-error page.html', 'link page.html'] }),
  '4,000 conditions that each open an element': () => ({ template: html(repeat(4_000, () => '{% if a %}<div>{% endif %}')), finds: ['link page.html'] }),
  'a template that is one raw block, one script and one comment of 1 MB': () => ({ template: html(`{% raw %}${'{{ '.repeat(3e5)}{% endraw %}<script>${'"/" '.repeat(2e5)}</script><!-- ${'-'.repeat(1e6)} -->`), finds: ['link page.html'] }),

  // The statements of a template.
  '1,500 elif': () => ({ template: html(`{% if a %}1${repeat(1_500, index => `{% elif a${index} %}<i>${index}</i>`)}{% endif %}${DEAD}`), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  'a value of 1,500 elif': () => ({ template: html(`<a href="{% if a %}/dead${repeat(1_500, index => `{% elif a${index} %}/dead${index}`)}{% endif %}"></a>`), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  '20,000 elif': () => ({ template: `{% if a %}1${repeat(20_000, () => '{% elif b %}2')}{% endif %}`, finds: ['template-error page.html'] }),
  '1,000 conditions in each other': () => ({ template: `${repeat(1_000, () => '{% if a %}')}x${repeat(1_000, () => '{% endif %}')}`, finds: ['template-error page.html'] }),
  '150 conditions in each other, in a value': () => ({ template: html(`<a href="/dead${repeat(150, () => '{% if a %}b{% else %}c')}${repeat(150, () => '{% endif %}')}"></a>`), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  '20,000 blocks in each other': () => ({ template: `${repeat(20_000, index => `{% block b${index} %}`)}x${repeat(20_000, () => '{% endblock %}')}`, finds: ['template-error page.html'] }),
  '1,000 blocks in each other': () => ({ template: `${repeat(1_000, index => `{% block b${index} %}`)}x${repeat(1_000, () => '{% endblock %}')}`, finds: ['template-error page.html'] }),
  '2,000 blocks beside each other, and as many fragments': () => ({
    template: html(repeat(2_000, index => `{% block b${index} %}x{% endblock %}`)),
    source: js(repeat(2_000, index => `export const f${index} = new Fragment('page.html', 'c${index}')\n`)),
    finds: ['fragment app.js']
  }),
  'a list of 130,000 items': () => ({ template: html(`{% for a in [${repeat(130_000, index => `${index},`)}0] %}{% endfor %}`), finds: ['link page.html'] }),
  'a chain of 3,000 calls': () => ({ template: html(`{{ a${'.b()'.repeat(3_000)} }}`), finds: ['link page.html'] }),
  '3,000 filters': () => ({ template: html(`<a href="{{ '/dead'${' | safe'.repeat(3_000)} }}"></a>`), finds: ['link page.html'] }),
  'a concatenation of 3,000 in a template': () => ({ template: html(`<a href="{{ '/dead'${repeat(3_000, index => ` ~ 'a${index}'`)} }}"></a><a href="{{ a${' or b'.repeat(3_000)} }}"></a>`), finds: ['link page.html'] }),
  '3,000 parentheses': () => ({ template: html(`{{ ${'('.repeat(3_000)}1${')'.repeat(3_000)} }}`), finds: ['template-error page.html'] }),

  // Templates that name each other.
  'includes in a circle': () => ({ template: html(`{% include "a0.html" %}${DEAD}`), more: files(50, index => [`a${index}.html`, `{% include "a${(index + 1) % 50}.html" %}{% include "page.html" %}`]), finds: ['link page.html'] }),
  'includes that double 24 times': () => ({ template: html('{% include "a0.html" %}'), more: files(24, index => [`a${index}.html`, `<i></i>${`{% include "a${index + 1}.html" ignore missing %}`.repeat(2)}`]), finds: ['link page.html', 'template-error a23.html'] }),
  'includes that double 24 times, without an element': () => ({ template: html('{% include "a0.html" %}'), more: files(24, index => [`a${index}.html`, `${`{% include "a${index + 1}.html" ignore missing %}`.repeat(2)}`]), finds: ['link page.html', 'template-error page.html'] }),
  '1,000 includes in each other': () => ({ template: html('{% include "a0.html" %}'), more: files(1_000, index => [`a${index}.html`, `{% include "a${index + 1}.html" ignore missing %}`]), finds: ['link page.html', 'template-error page.html'] }),
  'extends 2,000 deep': () => ({ template: html('{% block a %}{% endblock %}'), more: files(2_000, index => [`a${index}.html`, `{% extends "${index === 0 ? 'page.html' : `a${index - 1}.html`}" %}{% block a %}${DEAD}{% endblock %}`]), finds: ['link page.html'] }),
  '2,000 macros that call each other': () => ({ template: html(`${repeat(2_000, index => `{% macro m${index}() %}{{ m${index + 1}() }}{% endmacro %}`)}{{ m0() }}`), finds: ['link page.html', 'template-error page.html'] }),
  '1,500 names of includes that are nearly right': () => ({ template: html(repeat(1_500, index => `{% include "template-${index}x.html" %}`)), more: files(1_500, index => [`template-${index}.html`, 'x']), finds: ['missing-template page.html'] }),

  // Statements inside of a start tag, which give it attributes.
  '20,000 blocks in a tag': () => ({ template: html(`<p ${repeat(20_000, index => `{% block b${index} %}a${index}="x"{% endblock %} `)}>`), finds: ['template-error page.html'] }),
  '20,000 blocks in a tag, side by side': () => ({ template: html(`<p ${repeat(20_000, index => `{% block b${index} %} a${index}="x"{% endblock %}`)}>`), finds: ['template-error page.html'] }),
  '20,000 calls in a tag, side by side': () => ({ template: html(`<p ${repeat(20_000, () => '{{ sse_connect("/dead") }}')}>`), finds: ['template-error page.html'] }),
  '900 blocks in a tag, and 500 pages that fill them': () => ({ template: html(`${DEAD}<p ${repeat(900, index => `{% block b${index} %}{% endblock %} `)}></p>`), more: files(500, index => [`a${index}.html`, `{% extends "page.html" %}{% block b${index} %}href="/dead"{% endblock %}`]), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  'an include in a tag, of 1,100 attributes': () => ({ template: html('<p {% include "a0.html" %}></p>'), more: { 'a0.html': repeat(1_100, index => `a${index}="x" `) }, finds: ['link page.html', 'template-error page.html'] }),
  'an include in 15,000 tags': () => ({ template: html(repeat(15_000, () => '<p {% if a %}{% include "a0.html" %}{% endif %}></p>')), more: { 'a0.html': repeat(400, index => `a${index}="x" `) }, finds: ['link page.html', 'template-error page.html'] }),
  'includes in tags that double 24 times': () => ({ template: html('<p {% include "a0.html" %}></p>'), more: files(24, index => [`a${index}.html`, `${`{% include "a${index + 1}.html" ignore missing %} `.repeat(2)}`]), finds: ['link page.html', 'template-error page.html'] }),
  'includes in 2,000 tags that double 9 times': () => ({ template: html(repeat(2_000, () => '<p {% include "a0.html" %}></p>')), more: files(9, index => [`a${index}.html`, `${`{% include "a${index + 1}.html" ignore missing %} `.repeat(2)}`]), finds: ['link page.html', 'template-error page.html'] }),
  '2,000 includes in each other in a tag': () => ({ template: html('<p {% include "a0.html" %}></p>'), more: files(2_000, index => [`a${index}.html`, `{% include "a${index + 1}.html" ignore missing %}`]), finds: ['link page.html', 'template-error page.html'] }),
  'includes in a circle in a tag': () => ({ template: html(`<p {% include "a0.html" %}></p>${DEAD}`), more: files(50, index => [`a${index}.html`, `{% include "a${(index + 1) % 50}.html" %} {% include "a0.html" %}`]), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  '2,000 macros in a tag that call each other': () => ({ template: html(`${repeat(2_000, index => `{% macro m${index}() %}{{ m${index + 1}() }}{% endmacro %}`)}<p {{ m0() }}></p>`), finds: ['link page.html', 'template-error page.html'] }),
  'super() in a tag, 2,000 deep': () => ({ template: html('<p {% block a %}{% endblock %}></p>'), more: files(2_000, index => [`a${index}.html`, `{% extends "${index === 0 ? 'page.html' : `a${index - 1}.html`}" %}{% block a %}{{ super() }} a${index}="x"{% endblock %}`]), finds: ['link page.html'] }),
  '190 blocks in each other in a tag': () => ({ template: html(`<p ${repeat(190, index => `{% block b${index} %} a${index}="x" `)}href="/dead"${repeat(190, () => ' {% endblock %} ')}></p>${DEAD}`), finds: ['link page.html'], lacks: ['template-error page.html'] }),
  '190 blocks in each other in a tag, around 1 MB': () => ({ template: html(`<p ${repeat(190, index => `{% block b${index} %} a${index}="x" `)}class="${'x '.repeat(500_000)}"${repeat(190, () => ' {% endblock %} ')}></p>`), finds: ['link page.html', 'template-error page.html'] }),
  '2,000 blocks in a tag that is an attribute of nothing': () => ({ template: html(`<p class="${repeat(2_000, index => `{% block b${index} %}x{% endblock %}`)}"></p>`), finds: ['link page.html'], lacks: ['template-error page.html'] }),

  // Routes.
  '10,000 routes, and 1,000 addresses that are nearly right': () => ({ template: html(repeat(1_000, index => `<a href="/route/number/${index}x"></a><a href="/r{{ x }}/n{{ y }}/${index}x/z"></a>`)), routes: list(10_000, index => `GET /route/number/${index}`), finds: ['link page.html'] }),
  '1,000 routes with parameters, and 1,000 addresses': () => ({ template: html(repeat(1_000, index => `<a href="/{{ a }}/a${index}/{{ b }}"></a>`)), routes: list(1_000, index => `GET /:a/:b${index}(^x$)/c${index}`), finds: ['link page.html'] }),

  '3,000 targets with expressions, and 10,000 ids': () => ({
    template: html(`<div sse-connect="/live" sse-swap="a">${repeat(10_000, index => `<i id="a${index}"></i>`)}</div>`),
    source: js(repeat(3_000, index => `new Fragment('page.html', '', { }, { target: \`\${a}z${index}z\${b}\` })\nnew Fragment('page.html', '', { }, { target: \`#y\${a}z${index}\` })\n`)),
    routes: ['GET /live'],
    finds: ['missing-target app.js']
  }),

  // Source.
  'a list of 130,000 items in source': () => ({ source: js(`export const a = [${repeat(130_000, index => `${index},`)}0]`) }),
  '130,000 statements': () => ({ source: js(repeat(130_000, () => ';')) }),
  '130,000 imports': () => ({ source: js(repeat(130_000, () => 'import \'./none.js\'\n')) }),
  'a chain of 3,000 calls in source': () => ({ source: js(`export const a = reply${'.code(200)'.repeat(3_000)}\nreply${'.code(200)'.repeat(3_000)}.page('dead.html')`) }),
  'a chain of 40,000 calls in source': () => ({ source: js(`export const a = reply${'.code(200)'.repeat(40_000)}.page('dead.html')`) }),
  'a concatenation of 1,000 in source': () => ({ source: js(`export const a = 'x'${repeat(1_000, index => ` + 'a${index}'`)}\nexport const b = 'x'${repeat(1_000, index => ` + (c ? 'a${index}' : 'b')`)}`) }),
  'a concatenation of 100,000 in source': () => ({ source: `export const a = 'x'${' + "a"'.repeat(100_000)}`, finds: ['source-error app.js'], isBroken: true }),
  'constants that double 60 times': () => ({ source: js(`const a0 = 'ab'\n${repeat(60, index => `const a${index + 1} = a${index} + a${index}\n`)}reply.page(a60)`) }),
  'constants that double 60 times by a condition': () => ({ source: js(`const a0 = 'ab'\n${repeat(60, index => `const a${index + 1} = x ? a${index} : a${index} + '${index}'\n`)}reply.page(a60)`) }),
  'constants that double 60 times in template literals': () => ({ source: js(`const a0 = 'ab'\n${repeat(60, index => `const a${index + 1} = \`\${a${index}}\${a${index}}\`\n`)}reply.page(a60)`) }),
  '5,000 constants of each other': () => ({ source: js(`const a0 = 'ab'\n${repeat(5_000, index => `const a${index + 1} = a${index}\n`)}reply.page(a5000)`) }),
  '300 conditions in each other in source': () => ({ source: js(`reply.page(${repeat(300, index => `x ? 'a${index}' : `)}'dead.html')`) }),
  'a template literal of 20,000 parts': () => ({ source: js(`export const a = \`${repeat(20_000, index => `a${index}\${x}`)}\``) }),
  'lists 3,000 deep': () => ({ source: `export const a = ${'['.repeat(3_000)}${']'.repeat(3_000)}`, finds: ['source-error app.js'], isBroken: true }),
  'patterns 500 deep': () => ({ source: js(`const ${'['.repeat(500)}a${']'.repeat(500)} = b`) }),
  'blocks 500 deep': () => ({ source: js(`${'{'.repeat(500)}a()${'}'.repeat(500)}`) }),
  'a text of 4 MB with slashes': () => ({ source: js(`export const a = '${'abcdefghijklmnop/'.repeat(250_000)}'`) }),
  '3,000 patterns and 1,000 templates': () => ({ source: js(repeat(3_000, index => `x(\`pat${index}-\${a}-end\`)\n`)), more: files(1_000, index => [`t${index}.html`, `{% extends "page.html" %}{% block b${index} %}{% endblock %}`]), template: html('{% block a %}{% endblock %}') })
}
