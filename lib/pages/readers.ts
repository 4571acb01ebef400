// Which blocks of a page read its deferred values, as the analysis of reads has it.
import type { Read, TemplateReads } from '../render/reads.js'

/** Of one template and one set of values. */
export interface DeferredReaders {
  /** By block, the values that it reads itself. */
  blocks: ReadonlyMap<string, readonly string[]>
  /** By value, a read of it outside of any block. */
  outside: ReadonlyMap<string, Read>
}

// A page mostly defers the same values each time.
const known = new WeakMap<TemplateReads, Map<string, DeferredReaders>>()
const MOST_SETS = 16

export function readersIn (reads: TemplateReads, names: readonly string[]): DeferredReaders {
  const key = JSON.stringify(names)
  const sets = known.get(reads) ?? new Map<string, DeferredReaders>()
  known.set(reads, sets)
  let readers = sets.get(key)
  if (readers === undefined) {
    readers = find(reads, names)
    if (sets.size < MOST_SETS) sets.set(key, readers)
  }
  return readers
}

function find (reads: TemplateReads, names: readonly string[]): DeferredReaders {
  const byBlock = new Map<string, string[]>()
  const outside = new Map<string, Read>()
  for (const name of names) {
    const readers = reads.readersOf(name)
    for (const block of readers.blocks) {
      const needs = byBlock.get(block)
      if (needs === undefined) byBlock.set(block, [name])
      else needs.push(name)
    }
    if (readers.outside[0] !== undefined) outside.set(name, readers.outside[0])
  }
  return { blocks: byBlock, outside }
}
