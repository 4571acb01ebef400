// One block of a page against the whole page, which is what a live update
// would cost without blocks. Templates are compiled before the clock runs.
import { fileURLToPath } from 'node:url'
import nunjucks from 'nunjucks'
import { OURS, ours, title } from '../lib/contestants.js'
import { table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'
import { timeCalls } from '../lib/timing.js'
import { context } from '../views/context.js'

const VIEWS = fileURLToPath(new URL('../views', import.meta.url))
const PAGE = 'nunjucks, the whole page'
const PARTIAL = 'nunjucks, the block as a file of its own'
const BLOCK = `${title(OURS)}, the block in the page`

const WANTED = 1 / 8

export async function blocks ({ rounds, quick }) {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(VIEWS), { autoescape: true })
  const renderers = {
    [PAGE]: () => env.render('page.html', context),
    [PARTIAL]: () => env.render('orders.html', context)
  }
  const notes = []
  const render = await ours('html/render.js')
  if (render !== undefined) {
    const renderer = render.createRenderer({ templates: VIEWS, debug: false })
    const block = () => renderer.renderBlock('page.html', 'orders', context)
    // A fast renderer of something else would prove nothing.
    if (block().trim() === renderers[PARTIAL]().trim()) renderers[BLOCK] = block
    else notes.push(`${title(OURS)} was left out: its HTML is not that of the page`)
  }

  const ms = quick ? 50 : 200
  const measure = (name) => timeCalls(() => Buffer.byteLength(renderers[name]()), ms)
  await interleave(Object.keys(renderers), 1, measure) // warms up
  const results = await interleave(Object.keys(renderers), rounds, measure)

  const itself = (ns) => ns
  const value = results.ratio(BLOCK, PAGE, itself)
  return {
    title: 'Rendering a block of ten lines in a page of 4 kB (less is better)',
    table: table(
      ['', 'bytes', 'ns', 'to the page'],
      [...results.keys()].map((name) => [
        name,
        whole(Buffer.byteLength(renderers[name]())),
        whole(results.typical(name, itself)),
        times(results.ratio(name, PAGE, itself))
      ])
    ),
    notes,
    targets: [{ text: `rendering a block of ten lines: at most ${WANTED}x the page`, value, reached: value <= WANTED }]
  }
}
