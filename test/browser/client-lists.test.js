// Lists that a stream appends to, with the client script: nothing stands there
// twice, and no more than there may be.
import t from 'tap'
import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { shows, state } from './tabs.js'

const item = (id, text = id) => `<li${id ? ` id="${id}"` : ''} hx-get="/elsewhere" hx-target="#found">${text}</li>`

await eachHtmx(t, (t, htmx, openPage) => {
  /** A page with a list, to which `send(html, swap)` appends. */
  async function startList (t, { swap = 'beforeend', limit, html = '' } = {}) {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    await page.evaluate(({ swap, limit, html }) => {
      const list = document.getElementById('news')
      list.insertAdjacentHTML('beforebegin', '<div id="found"></div><input id="field"><i sse-swap="message"></i>')
      list.innerHTML = html
      list.setAttribute('hx-swap', swap)
      if (limit) list.setAttribute('chirp-limit', limit)
      window.htmx.process(document.getElementById('live'))
    }, { swap, limit, html })
    const send = html => site.news.publish(new SSEEvent(htmx === 2
      ? { event: 'news', data: html }
      : { data: `<hx-partial hx-target="#news" hx-swap="${swap}">${html}</hx-partial>` }))
    return { site, page, send }
  }

  t.test('an item that is there is replaced where it is, and works', async t => {
    const { page, send } = await startList(t, { html: `${item('a')}\n${item('')}\n<!-- a comment -->${item('b:1')}` })
    await page.evaluate(() => {
      document.getElementById('field').focus()
      window.cleaned = []
      for (const name of ['htmx:beforeCleanupElement', 'htmx:before:cleanup']) {
        document.addEventListener(name, ({ target }) => window.cleaned.push(target.textContent))
      }
    })
    send(item('a', 'a2'))
    send(item('', 'nameless'))
    send(item('', 'nameless'))
    send(item('b:1', 'b2') + item('c'))
    await shows(page, ['a2', '', 'b2', 'nameless', 'nameless', 'c'])
    t.same(await page.evaluate(() => [...new Set(window.cleaned)]), ['a', 'b:1'], 'htmx has cleaned up what is gone')
    t.equal(await page.evaluate(() => document.activeElement.id), 'field')
    for (const text of ['b2', 'c']) {
      await page.locator('#found').evaluate(found => { found.textContent = '' })
      await page.locator('#news > li', { hasText: text }).click()
      await page.locator('#found > p').waitFor()
    }
  })

  t.test('only what is in the list itself counts', async t => {
    const { page, send } = await startList(t, { html: '<li>outer<b id="a">inner</b></li>' })
    send(item('a') + item('found'))
    await shows(page, ['outerinner', 'a', 'found'])
    t.equal(await page.locator('div#found').count(), 1)
  })

  for (const [swap, steps] of Object.entries({
    beforeend: [['a,b', 'a,b'], ['c', 'a,b,c'], ['d', 'b,c,d'], ['c', 'b,c,d'], ['e,f,g,h', 'f,g,h']],
    afterbegin: [['b,a', 'b,a'], ['c', 'c,b,a'], ['d', 'd,c,b'], ['c', 'd,c,b'], ['h,g,f,e', 'h,g,f']]
  })) {
    t.test(`chirp-limit, ${swap}`, async t => {
      const { page, send } = await startList(t, { swap, limit: 3 })
      for (const [sent, shown] of steps) {
        send(sent.split(',').map(id => item(id)).join(' '))
        await shows(page, shown.split(','))
      }
      t.ok(await page.locator('#news').evaluate(list => list.childNodes.length) <= 8, 'texts between them do not pile up')
    })
  }

  for (const limit of ['0', '-1', 'many']) {
    t.test(`chirp-limit="${limit}" is none`, async t => {
      const { page, send } = await startList(t, { limit })
      send(item('a'))
      send(item('b'))
      await shows(page, ['a', 'b'])
    })
  }

  t.test('other swaps are left alone', async t => {
    const { page, send } = await startList(t, { swap: 'innerHTML', limit: 1, html: item('a') })
    send(item('a') + item('b'))
    await shows(page, ['a', 'b'])
  })

  for (const swap of ['beforeend', 'afterbegin']) {
    t.test(`several fragments in one message, ${swap}`, async t => {
      const { site, page } = await startList(t, { limit: 2, html: '<li>one</li>' })
      const part = text => new Fragment('page.html', 'item', { text }, { target: 'news', swap })
      const showsInOrder = items => shows(page, swap === 'beforeend' ? items : items.toReversed())
      site.news.publish(new Fragments([part('two'), part('three')]))
      await showsInOrder(['two', 'three'])
      site.news.publish(new Fragments([part('four'), new Fragment('page.html', 'item', { text: 'x' }, { target: 'found', swap: 'innerHTML' })]))
      await showsInOrder(['three', 'four'])
    })
  }

  t.test('what is appended out of band goes where it says', async t => {
    const { page, send } = await startList(t, { limit: 2, html: item('a') })
    await page.evaluate(() => { window.htmx.config.allowNestedOobSwaps = true })
    send(`<p id="field" hx-swap-oob="true">out</p>${item('a', 'a2')}`)
    await page.locator('p#field').waitFor()
    await shows(page, ['a2'])
  })

  for (const [swap, shown] of Object.entries({ beforeend: ['a2', 'b'], afterbegin: ['b', 'a2'] })) {
    t.test(`lists that are appended to out of band, ${swap}`, async t => {
      const { site, page } = await startList(t, { html: item('main') })
      await page.evaluate(() => {
        document.getElementById('found').insertAdjacentHTML('beforebegin', '<ol id="other" chirp-limit="2"></ol>')
      })
      const sendOut = (...items) => site.news.publish(new SSEEvent({
        ...(htmx === 2 && { event: 'news' }),
        data: `<div hx-swap-oob="${swap}:#other">${items.join(' ')}</div><li hx-swap-oob="${swap}:#none"></li>`
      }))
      sendOut(item('x'), item('y'))
      sendOut(item('a'))
      sendOut(item('b'))
      sendOut(item('a', 'a2'))
      await shows(page, shown, 'other')
      await shows(page, ['main'])
    })
  }

  t.test('five hundred events at once, and all of them again', async t => {
    const { page, send, site } = await startList(t, { limit: 200 })
    const ids = Array.from({ length: 500 }, (_, number) => `n${number}`)
    for (const id of ids) send(item(id))
    await shows(page, ids.slice(-200))
    for (const id of ids.slice(-200)) send(item(id, `${id}!`))
    await shows(page, ids.slice(-200).map(id => `${id}!`))
    t.equal(site.app.eventStreams.total, 1)
  })

  t.test('unnamed events go into the target', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    await page.evaluate(htmx => {
      const live = document.getElementById('live')
      const other = live.cloneNode()
      other.id = 'other'
      for (const name of other.getAttributeNames()) if (name.startsWith('data-')) other.removeAttribute(name)
      other.setAttribute('hx-swap', 'beforeend')
      other.setAttribute('chirp-limit', '2')
      if (htmx === 2) other.setAttribute('sse-swap', 'message')
      live.replaceWith(other)
      window.htmx.process(other)
    }, htmx)
    await state(page, 'connected', 'other')
    await until(() => site.app.eventStreams.open === 1, 'one stream')
    for (const id of ['a', 'b', 'a', 'c', 'b']) site.news.publish(new SSEEvent({ data: item(id) }))
    await shows(page, ['b', 'c'], 'other')
  })
})
