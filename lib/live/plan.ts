// The blocks of a live view that follow their data, and those that follow a change.
import { FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_OPTION } from '../errors.js'
import { meets, parsePath, stepOf } from '../render/path.js'
import { pathsOf, touches, type Read, type TemplateReads } from '../render/reads.js'
import { suggest } from '../util/closest.js'
import type { LiveViewSettings, Placement } from './options.js'

export interface LiveBlock extends Placement {
  /** All that its HTML depends on. */
  reads: readonly Read[]
  /** The variables that its render may read. */
  known: readonly Read[]
}

/** Why a block follows a change. */
export interface Reason {
  /** The changed path: one that was given, or one that is derived from it. */
  change: string
  /** The path that the block reads. */
  path: string
  /** The expression that reads it, and its place; undefined for what the option `reads` says. */
  expression: string | undefined
  /** Name of the template that has the expression. */
  template: string
  /** Its line, from one. */
  line: number | undefined
  /** Its column, from one. */
  column: number | undefined
}

/** A block that follows a change. */
export interface Explanation {
  /** Name of the block. */
  block: string
  /** The place that its HTML goes to. */
  target: string
  /** The reads that meet the change. */
  reasons: Reason[]
}

type Declared = Pick<LiveViewSettings, 'name' | 'template' | 'blocks' | 'reads' | 'derive'>

export class Plan {
  readonly blocks: readonly LiveBlock[]
  readonly #derive: LiveViewSettings['derive']

  /**
   * @throws FST_CHIRP_BLOCK_NOT_FOUND for a block that the template does not have.
   * @throws FST_CHIRP_OPTION when there is none to follow.
   */
  constructor ({ name, template, blocks, reads, derive }: Declared, found: TemplateReads) {
    this.#derive = derive
    const placements = blocks ?? placed(found)
    if (placements.length === 0) {
      throw new FST_CHIRP_OPTION(`live view "${name}" has no block to send: "${template}" places none of its blocks with sse_swap("name"). Put one into an element, <div {{ sse_swap("rows") }}>{% block rows %}...{% endblock %}</div>, or name it in the option "blocks"`)
    }
    for (const block of [...placements.map(({ block }) => block), ...reads.keys()]) {
      if (found.blocks.has(block)) continue
      const names = [...found.blocks.keys()]
      throw new FST_CHIRP_BLOCK_NOT_FOUND(template, block, `${names.map(name => `"${name}"`).join(', ') || 'none'}.${suggest(block, names)}`)
    }
    this.blocks = placements.map(placement => {
      const { reads: own, evaluated } = found.blocks.get(placement.block)!
      const declared = (reads.get(placement.block) ?? []).map(path => declaredRead(template, path))
      return { ...placement, reads: [...own, ...declared], known: [...evaluated, ...declared] }
    })
  }

  /** The targets of the blocks that follow a change; undefined is everything. */
  affected (paths: Iterable<string> | undefined): string[] {
    if (paths === undefined) return this.blocks.map(({ target }) => target)
    const steps = this.#withDerived(paths).map(path => parsePath(path)!)
    return this.blocks.filter(({ reads }) => reads.some(read => steps.some(change => touches(change, read)))).map(({ target }) => target)
  }

  /** Whether a block looks at a variable of the context. */
  looksAt ({ reads, known }: LiveBlock, name: string): boolean {
    const steps = [stepOf(name)]
    return [...reads, ...known].some(read => touches(steps, read))
  }

  /** Which blocks follow a change, and why. */
  explain (paths: Iterable<string>): Explanation[] {
    const changes = this.#withDerived(paths)
    return this.blocks.map(({ block, target, reads }) => ({
      block,
      target,
      reasons: changes.flatMap(change => reads.filter(read => touches(parsePath(change)!, read)).map(({ path, place: { template, line, column, expression } }) => {
        return { change, path, expression: expression === '' ? undefined : expression, template, line, column }
      }))
    })).filter(({ reasons }) => reasons.length > 0)
  }

  /** The paths that a block reads, sorted; undefined where it is none of these. */
  reads (name: string): string[] | undefined {
    const block = this.blocks.find(({ block }) => block === name)
    return block && pathsOf(block.reads)
  }

  // A value may be derived from one that is derived.
  #withDerived (paths: Iterable<string>): string[] {
    const all = new Set(paths)
    for (const path of all) {
      for (const [derived, sources] of this.#derive) if (sources.some(source => meets(path, source))) all.add(derived)
    }
    return [...all]
  }
}

function placed ({ swaps, blocks }: TemplateReads): Placement[] {
  const names = new Set(swaps.map(({ name }) => name).filter(name => blocks.has(name)))
  return [...names].map(name => ({ block: name, target: name, swap: undefined }))
}

function declaredRead (template: string, path: string): Read {
  return { path, steps: parsePath(path)!, isShallow: false, isGlobal: false, place: { template, line: undefined, column: undefined, expression: '' } }
}
