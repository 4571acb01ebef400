// Which blocks of a page read its deferred values, as the analysis of reads has it.
import type { Read, TemplateReads } from '../render/reads.js'

/** Of one template and one set of values. */
export interface DeferredReaders {
  /** By block, the values that it reads itself. */
  blocks: ReadonlyMap<string, readonly string[]>
  /** By value, a read of it outside of any block. */
  outside: ReadonlyMap<string, Read>
}

interface Known extends DeferredReaders { names: readonly string[] }

// A page mostly defers the same values each time.
const known = new WeakMap<TemplateReads, Known[]>()
const MOST_SETS = 16

export function readersIn (reads: TemplateReads, names: readonly string[]): DeferredReaders {
  let sets = known.get(reads)
  if (sets === undefined) known.set(reads, sets = [])
  for (const set of sets) if (areSame(set.names, names)) return set
  const readers = { names, ...find(reads, names) }
  if (sets.length < MOST_SETS) sets.push(readers)
  return readers
}

function areSame (some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => name === others[index])
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
