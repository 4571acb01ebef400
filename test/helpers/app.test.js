// The helper that most tests wait with.
import t from 'tap'
import { until } from './app.js'

t.test('until() waits for a condition, also for one that answers later', async t => {
  for (const later of [value => value, async value => value]) {
    let asked = 0
    await until(() => later(++asked === 3))
    t.equal(asked, 3)
    await t.rejects(until(() => later(false), 'it holds', 20), { message: 'timed out waiting until it holds' })
  }
})
