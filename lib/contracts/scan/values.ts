// The values of an attribute that is made of text, expressions and conditions.
import { textsOf } from './expression.js'
import type { Part } from './parts.js'
import { clip, combine, HOLE, unite } from './pattern.js'
import { lastIndex } from './position.js'

/**
 * All values, with holes, that an attribute can have. `parts` is the list that
 * its name is in, `from` and `to` hold all of it that comes after the name.
 */
export function valuesBetween (parts: readonly Part[], text: string, from: number, to: number): string[] {
  const first = lastIndex(parts, ({ offset }) => offset < from)
  const last = lastIndex(parts, ({ offset }) => offset < to)
  // Quotes and the equals sign are text like the value.
  return combine(parts.slice(first, last + 1).map(valuesOf)).map(unquote)

  function valuesOf (part: Part): string[] {
    if (part.kind === 'text') return [clip(text.slice(Math.max(part.offset, from), Math.max(Math.min(part.end, to), from)))]
    if (part.kind === 'output') return textsOf(part.node)
    if (part.kind !== 'branch' || part.loop || part.foreign) return [HOLE]
    return unite(part.branches.map(branch => combine(branch.map(valuesOf))))
  }
}

function unquote (written: string): string {
  const [, , quoted = ''] = /^\s*=\s*(["']?)(.*)$/s.exec(written) ?? []
  return quoted.replace(/["']$/, '')
}
