// Templates that extend each other, leaf first.
import type { Host, Twin } from '../host.js'
import type { AstNode } from '../internals.js'
import { survey, type Survey } from './survey.js'

export interface Level {
  twin: Twin
  /** Undefined if the template came precompiled. */
  survey: Survey | undefined
  extending: Survey['extending']
}

/** Where the body of a block is that Nunjucks renders in the place of a tag. */
export interface Found {
  level: number
  body: AstNode
}

export class Chain {
  readonly levels: readonly Level[]

  constructor (levels: readonly Level[]) {
    this.levels = levels
  }

  get last (): Level {
    return this.levels.at(-1) as Level
  }

  get names (): Set<string> {
    return new Set(this.levels.flatMap(({ twin }) => Object.keys(twin.template.blocks)))
  }

  label (level: number): string {
    return (this.levels[level] as Level).twin.label
  }

  extend (level: Level): Chain {
    return new Chain([...this.levels, level])
  }

  has (twin: Twin): boolean {
    return this.levels.some(level => level.twin === twin)
  }

  /** The body in effect, from a level on. */
  find (block: string, from = 0): Found | undefined {
    for (let level = from; level < this.levels.length; level++) {
      const tag = this.levels[level]?.survey?.blocks.get(block)
      if (tag !== undefined) return { level, body: tag.body }
    }
    return undefined
  }
}

/** Of a template that has code on its way, and so is not precompiled. */
export function surveyOf ({ levels }: Chain, level: number): Survey {
  return (levels[level] as Level).survey as Survey
}

/** The levels of a host's templates, made once. */
export class Levels {
  readonly #host: Host
  readonly #levels = new WeakMap<Twin, Level>()

  constructor (host: Host) {
    this.#host = host
  }

  of (twin: Twin): Level {
    let level = this.#levels.get(twin)
    if (level === undefined) this.#levels.set(twin, level = this.#create(twin))
    return level
  }

  #create (twin: Twin): Level {
    const { nunjucks, env } = this.#host
    const found = twin.source === undefined ? undefined : survey(nunjucks, this.#host.parse(twin.source), Object.keys(twin.template.blocks), env)
    return { twin, survey: found, extending: found?.extending ?? 'maybe' }
  }
}
