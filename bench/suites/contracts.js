// What a check of an app costs, and how that grows with the app. Each check is
// the first thing that its process does: loading the parsers is part of it.
import { start } from '../lib/child.js'
import { hundredths, table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const SIZES = [100, 300, 1000]
const MEASURED = 300
const WANTED = 2000
// The growth of the time over that of the app, from the second size to the last.
const LINEAR = 1.25

const cpu = (round) => round.cpu

export async function contracts ({ rounds }) {
  const results = await interleave(SIZES, rounds, measure)
  const notes = SIZES.filter((size) => results.get(size).some(({ findings }) => findings > 0))
    .map((size) => `The app of ${size} templates has findings: it is not what it should be.`)
  const value = results.typical(MEASURED, cpu)
  const growth = results.ratio(SIZES.at(-1), MEASURED, cpu) / (SIZES.at(-1) / MEASURED)
  return {
    title: 'Checking an app: as many templates of 2 kB as routes (less is better)',
    table: table(
      ['templates and routes', 'CPU ms', 'ms', 'CPU ms for each', 'time', 'size'],
      SIZES.map((size) => [
        String(size),
        whole(results.typical(size, cpu)),
        whole(results.typical(size, ({ ms }) => ms)),
        hundredths(results.typical(size, cpu) / size),
        times(results.ratio(size, SIZES[0], cpu)),
        times(size / SIZES[0])
      ])
    ),
    notes,
    targets: [
      { text: `checking ${MEASURED} templates and ${MEASURED} routes: at most ${WANTED} ms of CPU`, value, reached: value <= WANTED, format: (ms) => `${whole(ms)} ms` },
      { text: `time for each template, ${SIZES.at(-1)} of them to ${MEASURED}: at most ${LINEAR}x`, value: growth, reached: growth <= LINEAR }
    ]
  }
}

async function measure (count) {
  const child = await start('servers/contracts.js')
  try {
    return await child.ask('check', { count })
  } finally {
    await child.stop()
  }
}
