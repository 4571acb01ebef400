// Live blocks that stand in others: where both are due, the outer one brings the inner one along.
import type { EventRecord } from '../dialects/record.js'
import { escapeHtml } from '../util/escape.js'
import type { LiveBlock } from './plan.js'

/**
 * The targets whose HTML is in that of another one, in the only place that the page has for it.
 *
 * @param records what was rendered, by target.
 * @param changed the targets whose HTML is another one than before.
 */
export function coveredIn (blocks: readonly LiveBlock[], records: ReadonlyMap<string, EventRecord>, changed: ReadonlySet<string>): Set<string> {
  const covered = new Set<string>()
  for (const { target, within, isPlacedOnce } of blocks) {
    const html = records.get(target)?.data
    if (!isPlacedOnce || html === undefined) continue
    const isChanged = changed.has(target)
    const place = ` id="${escapeHtml(target)}"`
    const isIn = ({ block, target, swap }: LiveBlock): boolean => {
      // Another swap may leave the old one beside it.
      if (swap !== undefined || !within.includes(block)) return false
      const around = records.get(target)?.data ?? ''
      const at = around.indexOf(place)
      // One that is as before is not sent, although the inner one may have been sent alone in between.
      return at !== -1 && around.includes(html, at) && (changed.has(target) || !isChanged)
    }
    if (blocks.some(isIn)) covered.add(target)
  }
  return covered
}
