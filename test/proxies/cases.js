// What holds behind each proxy, with the file that docs/operate/proxies.md shows.
import { createGunzip, gunzipSync } from 'node:zlib'
import t from 'tap'
import { until } from '../helpers/app.js'
import { closeLines } from '../helpers/raw.js'
import { ADDRESS, ask, open } from './client.js'
import { floods } from './traps.js'

/**
 * Adds the cases for a proxy that `start` has started.
 *
 * - `protocols`: those that it speaks at its edge.
 * - `compresses`: whether it compresses pages.
 * - `cuts`: whether it ends what was silent for long.
 * - `notices`: whether the app hears at once of a client that leaves; if not, a heartbeat has to find out.
 */
export function addCases (station, { protocols = ['HTTP/1.1', 'HTTP/2'], compresses = true, cuts = true, notices = true } = {}) {
  const { app, publish } = station
  const nobody = () => until(() => app.eventStreams.open === 0, 'the app knows that all have left')

  for (const protocol of protocols) {
    t.test(`${protocol}: events come one by one, also over compression, and a cursor goes through`, async t => {
      const stream = await open(station, protocol, '/live')
      t.equal(stream.status, 200)
      t.equal(stream.headers['content-type'], 'text/event-stream; charset=utf-8')
      t.equal(stream.headers['content-encoding'], undefined)
      t.same((await stream.next())?.event, 'chirp:open', 'before there is anything else')
      // Each is published when the one before has come.
      for (const name of ['one', 'two', 'three', 'four', 'five']) {
        await publish(`${protocol} ${name}`)
        t.equal((await stream.next()).data, `${protocol} ${name}`)
      }
      stream.close()
      await nobody()

      const again = await open(station, protocol, '/live', { 'last-event-id': `${protocol} three` })
      t.equal((await again.next())?.event, 'chirp:open')
      t.equal((await again.next()).data, `${protocol} four`)
      t.equal((await again.next()).data, `${protocol} five`)
      again.close()
      await nobody()
      t.match(station.seen.at(-1), { ip: ADDRESS, lastEventId: `${protocol} three`, protocol: protocol === 'HTTP/2' ? 'https' : 'http' })
    })

    if (notices) {
      t.test(`${protocol}: the app hears of a client that leaves, without a heartbeat`, async t => {
        const { close } = await open(station, protocol, '/silent')
        await until(() => app.eventStreams.open === 1)
        close()
        await nobody()
        t.equal(closeLines(app).at(-1).reason, 'disconnect')
      })
    }

    t.test(`${protocol}: a page arrives, ${compresses ? 'compressed' : 'as it is'}`, async t => {
      const page = await ask(station, protocol, '/page', { accept: 'text/html' })
      t.equal(page.headers['content-encoding'], compresses ? 'gzip' : undefined)
      const body = await page.read()
      t.equal((compresses ? gunzipSync(body) : body).toString(), '<p>page</p>'.repeat(1000))
    })

    t.test(`${protocol}: the deferred parts of a page hold nothing back`, async t => {
      const page = await ask(station, protocol, '/parts', { accept: 'text/html' })
      const body = page.headers['content-encoding'] === 'gzip' ? page.body.pipe(createGunzip()) : page.body
      let text = ''
      body.setEncoding('utf8').on('data', piece => { text += piece })
      await until(() => text.includes('waiting'), 'the page is there')
      station.part.resolve('settled')
      await until(() => text.includes('settled'), 'the part is there')
      page.close()
    })

    t.test(`${protocol}: a client that does not read is dropped`, async t => {
      // By the app, or by the proxy where that is sooner.
      t.match(await floods(station, protocol), /^(?:writeTimeout|disconnect)$/)
    })
  }

  t.test('a quiet stream outlives the time that the proxy gives to silence', async t => {
    const streams = await Promise.all(protocols.map(protocol => open(station, protocol, '/live')))
    const silent = await open(station, protocols[0], '/silent')
    if (cuts) await until(() => silent.ended, 'one without heartbeats is cut')
    await until(() => streams.every(({ heartbeats, ended }) => heartbeats >= 7 || ended), 'heartbeats come')
    t.same(streams.map(({ ended }) => ended), protocols.map(() => false), 'they outlive it')
    t.equal(silent.ended, cuts)
    silent.close()
    await publish('after the silence')
    for (const stream of streams) {
      while ((await stream.next()).data !== 'after the silence');
      t.notOk(stream.ended)
      stream.close()
    }
    await nobody()
  })
}
