// What the server of the soak renders. Each piece of HTML says which publication it is of.
export const views = {
  'row.html': '{% block row %}<p>seq={{ seq }};</p>{% endblock %}',
  'own.html': '{% block own %}<p>{{ viewer.user }} seq={{ seq }};</p>{% endblock %}',
  'board.html': '<main {{ sse_connect() }}><p {{ sse_swap("board") }}>{% block board %}seq={{ seq }};{% endblock %}</p></main>',
  'bell.html': '{% block bell %}seq={{ value }};{% endblock %}'
}
