// What it costs to find what the blocks of all templates of an app read.
import { start } from '../lib/child.js'
import { hundredths, table, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const SIZES = [100, 300]
const WANTED = 1000

const cpu = (round) => round.cpu

export async function reads ({ rounds }) {
  const results = await interleave(SIZES, rounds, measure)
  const value = results.typical(300, cpu)
  return {
    title: 'What blocks read: loading, compiling and analysing templates of 2 kB (less is better)',
    table: table(
      ['templates', 'blocks', 'CPU ms', 'CPU ms for each template'],
      SIZES.map((size) => {
        const templates = results.typical(size, (round) => round.templates)
        return [whole(templates), whole(results.typical(size, (round) => round.blocks)), whole(results.typical(size, cpu)), hundredths(results.typical(size, cpu) / templates)]
      })
    ),
    notes: [],
    targets: [{ text: `300 templates: at most ${WANTED} ms of CPU`, value, reached: value <= WANTED, format: (ms) => `${whole(ms)} ms` }]
  }
}

async function measure (count) {
  const child = await start('servers/reads.js')
  try {
    return await child.ask('analyse', { count })
  } finally {
    await child.stop()
  }
}
