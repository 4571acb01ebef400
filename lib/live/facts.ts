// The facts about a live view that are known without a render, for the checker.
import { canonicalPath } from '../render/path.js'
import { messageOf } from '../util/thrown.js'
import type { LiveViewSettings, Placement } from './options.js'
import type { Plan } from './plan.js'

export interface ViewFacts {
  name: string
  template: string
  /** Why it cannot be shown. */
  problem?: string | undefined
  placements: readonly Placement[]
  derive: LiveViewSettings['derive']
  /** Whether a block follows a change of a path; undefined for a value that is not a path. There without a `problem`. */
  follows? (path: string): boolean | undefined
}

export async function factsOf ({ name, template, derive }: LiveViewSettings, load: () => Plan | Promise<Plan>): Promise<ViewFacts> {
  try {
    const plan = await load()
    return {
      name,
      template,
      derive,
      placements: plan.blocks,
      follows: path => {
        const canonical = canonicalPath(path)
        return canonical === undefined ? undefined : plan.affected([canonical]).length > 0
      }
    }
  } catch (error) {
    return { name, template, derive, problem: messageOf(error), placements: [] }
  }
}
