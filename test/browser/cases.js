// What both generations of htmx have to show, from the same handlers and the
// same templates. Only what is written into a page's element may differ.
import { Fragment, Fragments, merge, SSEEvent } from 'fastify-chirp'
import { until } from './browser.js'
import { LOST } from './console.js'
import { left, opener, startPages, startProxy } from './pages.js'

const textsOf = (page, selector) => page.locator(selector).allTextContents()
const item = (text, options) => new Fragment('parts.html', 'item', { text }, options)
const row = (text, options) => new Fragment('parts.html', 'row', { text }, options)
const text = (text, options) => new Fragment('parts.html', 'text', { text }, options)
const numbers = count => Array.from({ length: count }, (_, n) => n + 1)

/** Adds the cases of both, for one. */
export function addCommonCases (t, browser, dialect) {
  t.test('a fragment goes to its target: a child of the connecting element, or that element itself', async t => {
    const { app, url } = await startPages(t, dialect, {
      child: '<div {{ sse_connect("/live") }}><p {{ sse_swap("clock") }}>-</p></div>',
      self: '<p {{ sse_connect("/live") }} {{ sse_swap("clock") }}>-</p>'
    }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('clock'))) })
    const open = opener(t, browser)
    for (const name of ['child', 'self']) {
      const page = await open(`${url}/${name}`)
      await until(() => app.eventStreams.open === 1, 'it is connected')
      for (const time of ['12:00', '12:01']) {
        app.channel('clock').publish(text(time, { target: 'clock' }))
        await page.locator('#clock', { hasText: time }).waitFor()
      }
      t.equal(await page.locator('#clock').textContent(), '12:01')
      t.equal(app.eventStreams.open, 1)
      await page.close()
      await until(() => app.eventStreams.open === 0, 'it is gone')
    }
  })

  t.test('500 rapid events and 200 published ones arrive in order, each once', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }}><ol {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>'
    }, {
      routes (app) {
        const log = app.channel('log')
        const rapid = numbers(500).map(n => item(n, { target: 'log', swap: 'beforeend' }))
        app.get('/live', { referenced: true }, (request, reply) => reply.eventStream(merge(rapid, log)))
      }
    })
    const page = await opener(t, browser)(`${url}/page`)
    await page.locator('#log > li').nth(499).waitFor()
    for (const n of numbers(200)) app.channel('log').publish(item(500 + n, { target: 'log', swap: 'beforeend' }))
    await page.locator('#log > li').nth(699).waitFor()
    t.same(await textsOf(page, '#log > li'), numbers(700).map(String))
  })

  t.test('HTML arrives as it was rendered: many lines, rows of a table, a mebibyte', async t => {
    const lines = 'one\n\n  three\n\tdata: five\n: six <b>\n'
    const large = 'äöü '.repeat(150000)
    const { url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }}><pre {{ sse_swap("lines") }}></pre><p {{ sse_swap("large") }}></p>' +
        '<table><tbody {{ sse_swap("rows") }} hx-swap="beforeend"></tbody></table></div>'
    }, {
      routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
        yield text(`[${lines}]`, { target: 'lines' })
        for (const n of [1, 2]) yield row(n, { target: 'rows', swap: 'beforeend' })
        yield text(`${large}.`, { target: 'large' })
        await left(signal)
      }))
    })
    const page = await opener(t, browser)(`${url}/page`)
    await until(async () => (await page.locator('#large').textContent()).endsWith('.'), 'the large one is there')
    t.equal(await page.locator('#large').evaluate(element => element.textContent), `${large}.`)
    t.ok(Buffer.byteLength(large) > 1024 * 1024)
    t.equal(await page.locator('#lines').textContent(), `[${lines}]`)
    t.same(await textsOf(page, 'table > tbody#rows > tr > td'), ['1', '2'])
  })

  t.test('several fragments in one message change several places, and nothing else', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<main {{ sse_connect("/live") }} {{ sse_swap("message") }}><h1>stays</h1><p {{ sse_swap("count") }}></p><ol id="list"><li>0</li></ol>' +
        '<table><tbody id="rows"></tbody></table><div class="w"><i data-key="a b">-</i></div><p id="chat:5">-</p><p id="7up">-</p></main>'
    }, {
      routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('all')))
    })
    const page = await opener(t, browser)(`${url}/page`)
    await until(() => app.eventStreams.open === 1, 'it is connected')
    const all = app.channel('all')
    await all.publish(new Fragments([
      text('two', { target: 'count' }), item(1, { target: 'list', swap: 'beforeend' }), row('<td>', { target: 'rows', swap: 'beforeend' }),
      text('selected', { target: 'main > .w > [data-key="a b"]' }), text('colon', { target: 'chat:5' }), text('digit', { target: '7up' })
    ]))
    await page.locator('[id="7up"]', { hasText: 'digit' }).waitFor()
    t.equal(await page.locator('#count').textContent(), 'two')
    t.same(await textsOf(page, '#list > li'), ['0', '1'])
    t.same(await textsOf(page, 'table > tbody > tr > td'), ['<td>'])
    t.equal(await page.locator('.w > i').textContent(), 'selected')
    t.equal(await page.locator('[id="chat:5"]').textContent(), 'colon')
    t.equal(await page.locator('main > h1').textContent(), 'stays')

    await all.publish(new Fragments([text('three', { target: 'count' }), item(2, { target: 'list', swap: 'outerHTML' })]))
    await page.locator('main > li', { hasText: '2' }).waitFor()
    t.equal(await page.locator('#count').textContent(), 'three')

    await all.publish(new Fragments([text('all of it'), text('gone by then', { target: 'count' })]))
    await until(async () => (await page.locator('main').textContent()) === 'all of it', 'what has no target takes the place of all')
  })

  t.test('a target can be a selector with > and quotes', async t => {
    const target = '#w > [data-key="a b"]'
    const { url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }}><div id="w"><i data-key="a b" sse-swap=\'#w > [data-key="a b"]\'>-</i><i>-</i></div></div>'
    }, { routes: app => app.get('/live', (request, reply) => reply.eventStream([text('here', { target })], { closeEvent: 'done' })) })
    const page = await opener(t, browser)(`${url}/page`, { expected: LOST })
    await page.locator('#w > i', { hasText: 'here' }).waitFor()
    t.same(await textsOf(page, '#w > i'), ['here', '-'])
  })

  t.test('what has no target goes to the connecting element, where sse_swap("message") says so', async t => {
    const { url } = await startPages(t, dialect, {
      page: '<div id="all" {{ sse_connect("/live") }} {{ sse_swap("message") }}>-</div><b id="other">-</b>'
    }, {
      routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
        yield '<i>plain</i><b id="other" hx-swap-oob="true">elsewhere</b>'
        await left(signal)
      }))
    })
    const page = await opener(t, browser)(`${url}/page`)
    await page.locator('#other', { hasText: 'elsewhere' }).waitFor()
    t.equal(await page.locator('#all').innerHTML(), '<i>plain</i>')
  })

  t.test('a broken fragment shows its box, alone or in a message, and the others go on', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<main {{ sse_connect("/live") }} {{ sse_swap("message") }}><p {{ sse_swap("one") }}></p><p {{ sse_swap("two") }}></p></main>',
      broken: '{% block broken %}{{ users.length }}{% endblock %}'
    }, {
      debug: true,
      routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('panels', { latest: true })))
    })
    const page = await opener(t, browser)(`${url}/page`)
    await until(() => app.eventStreams.open === 1, 'it is connected')
    const panels = app.channel('panels')
    const broken = new Fragment('broken.html', 'broken', {}, { target: 'one' })
    const box = page.locator('#one > .chirp-block-error[data-block=broken]')
    await t.rejects(panels.publish(broken))
    await panels.publish(text('fine', { target: 'two' }))
    await page.locator('#two', { hasText: 'fine' }).waitFor()
    t.equal(await box.textContent(), "UndefinedError: 'users' is undefined")

    await panels.publish(text('well again', { target: 'one' }))
    await page.locator('#one', { hasText: 'well again' }).waitFor()
    t.equal(await box.count(), 0)
    await panels.publish(new Fragments([broken, text('also fine', { target: 'two' })]))
    await page.locator('#two', { hasText: 'also fine' }).waitFor()
    t.equal(await box.textContent(), "UndefinedError: 'users' is undefined")
    t.equal(app.eventStreams.total, 1)
  })

  t.test('the close event ends it for good', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }} {{ sse_close("done") }}><p {{ sse_swap("news") }}></p></div>' +
        '<div {{ sse_connect("/more") }}><ol {{ sse_swap("more") }} hx-swap="beforeend"></ol></div>'
    }, {
      retry: 20,
      routes (app) {
        app.get('/live', (request, reply) => reply.eventStream([text('last', { target: 'news' })], { closeEvent: 'done' }))
        // Ends again and again, and so tells that there was time enough to dial.
        app.get('/more', (request, reply) => reply.eventStream([item('again', { target: 'more', swap: 'beforeend' })]))
      }
    })
    const page = await opener(t, browser)(`${url}/page`, { expected: LOST })
    await page.locator('#news', { hasText: 'last' }).waitFor()
    const { total } = app.eventStreams
    await page.locator('#more > li').nth(9).waitFor()
    const dialed = app.log.lines.filter(({ req }) => req?.url === '/live').length
    t.equal(dialed, 1, `of ${total} and more`)
  })

  t.test('a stream that ends, and one that is cut in the middle of an event, go on where they were', async t => {
    for (const cutAfter of [undefined, '<li>\ndata: c']) {
      const { app, port } = await startPages(t, dialect, {
        page: '<div {{ sse_connect("/live") }}><ol {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>'
      }, {
        routes (app) {
          const log = app.channel('log')
          app.get('/live', (request, reply) => reply.eventStream(log))
        }
      })
      const page = await opener(t, browser)(`${await startProxy(t, port, { cutAfter })}/page`, { expected: LOST })
      await until(() => app.channel('log').size === 1, 'it is connected')
      const publish = letter => app.channel('log').publish(new Fragment('parts.html', 'item', { text: `\n${letter}` }, { target: 'log', swap: 'beforeend' }))
      for (const letter of 'ab') await publish(letter)
      await page.locator('#log > li').nth(1).waitFor()
      if (cutAfter === undefined) app.server.closeAllConnections()
      for (const letter of 'cd') await publish(letter)
      await page.locator('#log > li').nth(3).waitFor()
      await publish('e')
      await page.locator('#log > li').nth(4).waitFor()
      t.same((await textsOf(page, '#log > li')).map(text => text.trim()), ['a', 'b', 'c', 'd', 'e'], String(cutAfter))
      t.equal(app.eventStreams.total, 2)
    }
  })

  t.test('a stream that breaks before its first event misses nothing', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }}><b sse-swap="chirp:open">not yet</b><ol {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>' +
        '<script>document.addEventListener("chirp:open", () => { document.querySelector("b").textContent = "" })</script>'
    }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('log'))) })
    const page = await opener(t, browser)(`${url}/page`, { expected: LOST })
    await until(async () => await page.locator('b').textContent() === '', 'it is open')
    app.server.closeAllConnections()
    for (const letter of 'ab') await app.channel('log').publish(item(letter, { target: 'log', swap: 'beforeend' }))
    await page.locator('#log > li').nth(1).waitFor()
    t.same(await textsOf(page, '#log > li'), ['a', 'b'])
    t.equal(app.eventStreams.total, 2)
  })

  t.test('a server that is started anew is found again, and told the cursor', async t => {
    const rows = []
    const body = { page: '<div {{ sse_connect("/live") }}><ol {{ sse_swap("log") }} hx-swap="beforeend"></ol></div>' }
    const routes = app => app.get('/live', { referenced: true }, (request, reply) => reply.eventStream(async function * ({ lastEventId, signal }) {
      for (let n = Number(lastEventId); !signal.aborted; n++) {
        await until(() => rows.length > n || signal.aborted, 'a row', 20000)
        if (rows.length > n) yield item(rows[n], { target: 'log', swap: 'beforeend', id: n + 1 })
      }
    }))
    const first = await startPages(t, dialect, body, { routes, shutdownGrace: 0 })
    const page = await opener(t, browser)(`${first.url}/page`, { expected: LOST })
    rows.push('a', 'b')
    await page.locator('#log > li').nth(1).waitFor()
    await first.app.close()
    rows.push('c')
    const second = await startPages(t, dialect, body, { routes, port: first.port })
    await page.locator('#log > li').nth(2).waitFor()
    rows.push('d')
    await page.locator('#log > li').nth(3).waitFor()
    t.same(await textsOf(page, '#log > li'), ['a', 'b', 'c', 'd'])
    t.equal(second.app.eventStreams.open, 1)
  })

  t.test('retry is honoured', async t => {
    const dialed = []
    const { url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/slow") }}></div><div {{ sse_connect("/fast") }}></div>'
    }, {
      routes (app) {
        for (const [path, retry] of [['/slow', 1500], ['/fast', 10]]) {
          app.get(path, (request, reply) => {
            dialed.push(path)
            return reply.eventStream([], { retry })
          })
        }
      }
    })
    await opener(t, browser)(`${url}/page`, { expected: LOST })
    await until(() => dialed.length >= 5, 'they have dialed again')
    t.same(dialed.slice(2, 5), ['/fast', '/fast', '/fast'])
  })

  t.test('an event with nothing but a retry is honoured too', async t => {
    const dialed = []
    const { url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/slow") }}></div><div {{ sse_connect("/fast") }}></div>'
    }, {
      retry: undefined,
      routes (app) {
        for (const [path, retry] of [['/slow', 1500], ['/fast', 10]]) {
          app.get(path, (request, reply) => {
            dialed.push(path)
            return reply.eventStream([new SSEEvent({ retry })])
          })
        }
      }
    })
    await opener(t, browser)(`${url}/page`, { expected: LOST })
    await until(() => dialed.length >= 5, 'they have dialed again')
    t.same(dialed.slice(2, 5), ['/fast', '/fast', '/fast'])
  })

  t.test('an event in one packet with the head is not lost', async t => {
    const { port } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/live") }}><p {{ sse_swap("first") }}></p></div>'
    }, {
      retry: undefined,
      routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
        yield text('in the first packet', { target: 'first' })
        await left(signal)
      }))
    })
    const page = await opener(t, browser)(`${await startProxy(t, port, { holdUntil: 'in the first packet' })}/page`)
    await page.locator('#first', { hasText: 'in the first packet' }).waitFor()
  })

  t.test('two streams on one page do not mix', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<div {{ sse_connect("/a") }}><p {{ sse_swap("one") }}></p></div><div {{ sse_connect("/b") }}><p {{ sse_swap("two") }}></p></div>'
    }, { routes: app => { for (const name of ['a', 'b']) app.get(`/${name}`, (request, reply) => reply.eventStream(app.channel(name))) } })
    const page = await opener(t, browser)(`${url}/page`)
    await until(() => app.eventStreams.open === 2, 'both are connected')
    app.channel('b').publish(text('B', { target: 'two' }))
    app.channel('a').publish(text('A', { target: 'one' }))
    await page.locator('#one', { hasText: 'A' }).waitFor()
    await page.locator('#two', { hasText: 'B' }).waitFor()
  })

  t.test('an element that is swapped away closes its stream and the source', async t => {
    let closed = 0
    const { app, url } = await startPages(t, dialect, {
      page: '<main id="main"><div id="live" {{ sse_connect("/live") }}><p {{ sse_swap("tick") }}></p></div></main><button hx-get="/other" hx-target="#main">Go</button>'
    }, {
      routes (app) {
        app.get('/other', (request, reply) => reply.type('text/html').send('<p id="other">other</p>'))
        app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
          try {
            yield text('open', { target: 'tick' })
            await left(signal)
          } finally {
            closed++
          }
        }))
      }
    })
    const page = await opener(t, browser)(`${url}/page`)
    await page.locator('#tick', { hasText: 'open' }).waitFor()
    await page.locator('button').click()
    await page.locator('#other').waitFor()
    await until(() => closed === 1 && app.eventStreams.open === 0, 'the source is closed')
    t.equal(app.eventStreams.total, 1)
  })

  t.test('an element that a script removes closes its stream with the next event', async t => {
    const { app, url } = await startPages(t, dialect, {
      page: '<div id="live" {{ sse_connect("/live") }}><p {{ sse_swap("tick") }}></p></div>'
    }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('ticks'))) })
    const page = await opener(t, browser)(`${url}/page`)
    const ticks = app.channel('ticks')
    await until(() => ticks.size === 1, 'it is connected')
    await page.evaluate(() => document.querySelector('#live').remove())
    ticks.publish(text('tick', { target: 'tick' }))
    await until(() => app.eventStreams.open === 0, 'the stream is closed')
    t.equal(app.eventStreams.total, 1)
  })

  t.test('over HTTP/2 one page has forty streams, and seven tabs have one each', async t => {
    const { app, url } = await startPages(t, dialect, {
      many: '{% for n in range(40) %}<div {{ sse_connect("/live") }}><p {{ sse_swap("p" + n) }}></p></div>{% endfor %}',
      one: '<div {{ sse_connect("/live") }}><p {{ sse_swap("p0") }}></p></div>'
    }, { secure: true, routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('all'))) })
    const open = opener(t, browser)
    const page = await open(`${url}/many`)
    const all = app.channel('all')
    await until(() => app.eventStreams.open === 40, 'all are connected')
    for (const n of numbers(40)) all.publish(text(n, { target: `p${n - 1}` }))
    await until(async () => (await textsOf(page, 'p')).join() === numbers(40).join(), 'all have their text')
    await page.close()
    await until(() => app.eventStreams.open === 0, 'all are gone')

    const context = page.context()
    const tabs = []
    while (tabs.length < 7) tabs.push(await open(`${url}/one`, { context }))
    await until(() => app.eventStreams.open === 7, 'all tabs are connected')
    all.publish(text('to all', { target: 'p0' }))
    for (const tab of tabs) await tab.locator('#p0', { hasText: 'to all' }).waitFor()
    t.equal(await tabs[0].evaluate(async () => (await fetch('/one')).status), 200, 'and a request goes through')
  })
}
