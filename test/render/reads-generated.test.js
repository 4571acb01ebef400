// No render reads what the analysis does not know: templates and contexts of
// all kinds. CHIRP_CASES=20000 for more of them, CHIRP_SEED and CHIRP_PATH for
// those of a run that failed, CHIRP_SHRINK=1 for the smallest that fails.
import fc from 'fast-check'
import t from 'tap'
import { touches } from '../../dist/render/reads.js'
import { formatPath, stepOf } from '../../dist/render/path.js'
import { record } from '../../dist/render/recording.js'
import { setUp } from '../helpers/renderer.js'
import { configure, contextOf, Maker, placesIn } from '../helpers/template-maker.js'

const { CHIRP_CASES = 300, CHIRP_SEED, CHIRP_PATH, CHIRP_SHRINK } = process.env
const CASES = Number(CHIRP_CASES)
const AGAIN = CHIRP_SEED === undefined ? {} : { seed: Number(CHIRP_SEED), path: CHIRP_PATH }

t.setTimeout(100000 + CASES * 200)

function rendered (renderer, block, context) {
  try {
    return renderer.renderBlock('page', block, context)
  } catch (error) {
    return { error: error.message.slice(0, 200) }
  }
}

t.test('all that blocks read is known', t => {
  const counts = { templates: 0, unparsable: 0, blocks: 0, failed: 0, precise: 0, changes: 0, told: 0, unknown: 0 }
  fc.assert(fc.property(fc.array(fc.nat({ max: 719 }), { minLength: 100, maxLength: 600, size: 'max' }), choices => {
    const maker = new Maker(choices)
    const data = maker.context()
    const templates = maker.templates()
    const { renderer } = setUp(templates, { configure })
    counts.templates++
    let analysis
    try {
      analysis = renderer.reads.analyse('page')
    } catch {
      counts.unparsable++
      return
    }
    const explain = (...what) => `${what.join(' ')}\n${JSON.stringify(templates, null, 1)}\n${JSON.stringify(data)}`
    // A template that was given up has the same answer for all of its blocks.
    if (analysis.blocks.size > 1 && new Set(analysis.blocks.values()).size === 1) counts.unknown++
    for (const [block, { reads, evaluated }] of analysis.blocks) {
      counts.blocks++
      const recording = record(contextOf(data))
      const watched = rendered(renderer, block, recording.context)
      const unknown = recording.unknown([...reads, ...evaluated])
      if (unknown.length > 0) throw new Error(explain(`block ${block} read`, unknown))
      const plain = rendered(renderer, block, contextOf(data))
      if (typeof plain !== 'string') {
        counts.failed++
        continue
      }
      if (watched !== plain) throw new Error(explain(`block ${block} gave ${JSON.stringify(watched)} instead of ${JSON.stringify(plain)}`))
      if (!reads.some(({ path }) => path === '*')) counts.precise++
      // Most of them where it reads.
      const places = placesIn(data).map(place => ({ place, steps: place.map(key => stepOf(key)) }))
      const seen = new Set(recording.reads())
      const [read, others] = [true, false].map(isRead => places.filter(({ steps }) => seen.has(formatPath(steps)) === isRead))
      for (let count = 0; count < 6; count++) {
        const from = count < 4 ? read : others
        if (from.length === 0) continue
        const [{ place, steps }] = from.splice(maker.choose(from.length), 1)
        const changed = rendered(renderer, block, contextOf(data, place, maker.pick(['changed', null, 7, [], ['p'], { p: 'changed' }])))
        counts.changes++
        if (typeof changed !== 'string' || changed === plain) continue
        counts.told++
        if (!reads.some(read => touches(steps, read))) throw new Error(explain(`block ${block} depends on ${place.join('.')}: ${plain} became ${changed}`))
      }
    }
  }), { numRuns: CASES, endOnFailure: CHIRP_SHRINK === undefined, ...AGAIN })
  t.comment(JSON.stringify(counts))
  t.ok(counts.blocks > CASES / 3, 'there were blocks')
  t.ok(counts.failed < counts.blocks * 0.8, 'of which many could be rendered')
  t.ok(counts.precise > counts.blocks / 10, 'and were not given up')
  t.ok(counts.told > CASES / 20, 'and which showed changes')
  t.ok(counts.unknown <= CASES / 100, 'few templates were too much to follow')
  t.end()
})
