// The reads of a template's blocks from its context, found without rendering.
import type { MaybePromise } from '../util/promise.js'
import { meets, type Steps } from './path.js'

/** A place in a template, lines and columns count from one. */
export interface ReadPlace {
  template: string
  line: number | undefined
  column: number | undefined
  /** The expression, as its author would write it. */
  expression: string
}

/** The part of the context that an expression reads. */
export interface Read {
  /** In canonical form; `*` is all of it. */
  path: string
  steps: Steps
  /** It asks only whether there is something, or for `tasks[]` how many there are: what is in it does not matter. */
  isShallow: boolean
  /** A global of the environment has this name: only a context that has it too is read. */
  isGlobal: boolean
  place: ReadPlace
}

/** The reads of a block that is rendered alone. */
export interface BlockReads {
  /** All that its HTML depends on. */
  reads: readonly Read[]
  /** These, and what is evaluated on the way to it and not used, such as a variable for another block. */
  evaluated: readonly Read[]
  /** The blocks that it stands in; each of them has it in its own HTML. */
  within: readonly string[]
}

/** A literal `sse_swap("name")`. */
export interface PlacedSwap {
  name: string
  place: ReadPlace
}

/** The readers of a variable when a whole page is rendered. */
export interface Readers {
  /** The smallest blocks around each read. */
  blocks: string[]
  /** The reads outside of any block. What a variable is set to counts where the variable is used. */
  outside: Read[]
}

/** The analysis of a template, with all that it extends, includes and imports. */
export interface TemplateReads {
  /** By their names, in the order in which they are met. */
  blocks: ReadonlyMap<string, BlockReads>
  /** The calls of sse_swap() in all of the page. */
  swaps: readonly PlacedSwap[]
  /** The readers of a path, such as the name of a variable. */
  readersOf (path: string): Readers
}

/** Finds out what blocks read. */
export interface ReadsAnalysis {
  /**
   * The analysis of a template. It is kept until one of the templates
   * concerned is another one.
   *
   * @throws FST_CHIRP_* or rejects with it, when the template cannot be loaded.
   */
  analyse (template: string): MaybePromise<TemplateReads>
}

/** Whether a change at `change` may change what `read` gives. */
export function touches (change: Steps, { steps, isShallow }: Read): boolean {
  return meets(change, steps) && !(isShallow && change.length > steps.length)
}

/** The paths of reads, each once, sorted; those of globals only on request. */
export function pathsOf (reads: Iterable<Read>, withGlobals = false): string[] {
  const paths = new Set<string>()
  for (const { path, isGlobal } of reads) if (withGlobals || !isGlobal) paths.add(path)
  return [...paths].sort()
}
