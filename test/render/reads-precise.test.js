// On whole apps: the change of one value concerns few blocks. Templates of one
// or two blocks have nothing to choose from.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parsePath } from '../../dist/render/path.js'
import { pathsOf, touches } from '../../dist/render/reads.js'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'

const FOLDERS = ['example-app/views', 'test/fixtures/contracts/htmx2/views']

for (const folder of FOLDERS) {
  t.test(folder, t => {
    const path = fileURLToPath(new URL(`../../${folder}`, import.meta.url))
    const { reads } = createRenderer({ templates: path, debug: false })
    let named = 0
    let all = 0
    for (const name of readdirSync(path, { recursive: true }).filter(name => name.endsWith('.html'))) {
      const blocks = [...reads.analyse(name).blocks.values()]
      if (blocks.length < 3) continue
      for (const change of new Set(blocks.flatMap(({ reads }) => pathsOf(reads)))) {
        named += blocks.filter(({ reads }) => reads.some(read => touches(parsePath(change), read))).length
        all += blocks.length
      }
    }
    t.comment(`${named} of ${all}`)
    t.ok(all > 20, 'there is something to read')
    t.ok(named < all / 3, `${named} of ${all}`)
    t.end()
  })
}
