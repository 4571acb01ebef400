// No server: finds what the blocks of an app's templates read, once, in a
// process that has done nothing before.
import { readdirSync, rmSync } from 'node:fs'
import { createRenderer } from '../../dist/render/nunjucks/renderer.js'
import { answer } from '../lib/answer.js'
import { writePages } from '../lib/pages.js'

async function analyse ({ count }) {
  const { folder, views } = writePages(count)
  try {
    const names = readdirSync(views, { recursive: true }).filter((name) => name.endsWith('.html'))
    const { reads } = createRenderer({ templates: views, debug: false })
    const from = process.cpuUsage()
    let blocks = 0
    let swaps = 0
    for (const name of names) {
      // Each is found when somebody asks for it.
      const found = await reads.analyse(name)
      blocks += found.blocks.size
      swaps += found.swaps.length
    }
    const { user, system } = process.cpuUsage(from)
    return { cpu: (user + system) / 1000, templates: names.length, blocks, swaps }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

answer({ analyse }, {})
