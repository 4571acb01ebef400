// The values of an attribute that is made of text, expressions and conditions.
import { textsOf } from './expression.js'
import { bodiesOf, type Part } from './parts.js'
import { combine, HOLE } from './pattern.js'

/** All values that the text of an attribute after its name can make, with holes. */
export function valuesBetween (parts: readonly Part[], text: string, from: number, to: number): string[] {
  // Quotes and the equals sign are text like the value.
  return between(parts).map(unquote)

  function between (parts: readonly Part[]): string[] {
    return combine(parts.map(valuesOf))
  }

  function valuesOf (part: Part): string[] {
    if (part.kind === 'text') return [text.slice(Math.max(part.offset, from), Math.max(Math.min(part.end, to), from))]
    const isInside = part.offset >= from && part.offset < to
    if (!isInside) {
      // The value is in one of its bodies; the others have nothing between.
      return combine(bodiesOf(part).map(between))
    }
    if (part.kind === 'output') return textsOf(part.node)
    if (part.kind !== 'branch' || part.loop || part.foreign) return [HOLE]
    return [...new Set(part.branches.flatMap(between))]
  }
}

function unquote (written: string): string {
  const [, , quoted = ''] = /^\s*=\s*(["']?)(.*)$/s.exec(written) ?? []
  return quoted.replace(/["']$/, '')
}
