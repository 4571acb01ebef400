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
      const { blocks } = reads.analyse(name)
      if (blocks.size < 3) continue
      const values = [...blocks.values()].flatMap(({ reads }) => reads.filter(({ isShallow }) => !isShallow))
      for (const change of new Set(pathsOf(values))) {
        const dirty = [...blocks].filter(([, { reads }]) => reads.some(read => touches(parsePath(change), read))).map(([name]) => name)
        // What stands in another one is sent with it.
        named += dirty.filter(name => !blocks.get(name).within.some(outer => dirty.includes(outer))).length
        all += blocks.size
      }
    }
    t.comment(`${named} of ${all}`)
    t.ok(all > 20, 'there is something to read')
    t.ok(named < all / 3, `${named} of ${all}`)
    t.end()
  })
}
