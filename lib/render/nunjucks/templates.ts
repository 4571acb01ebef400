// The templates of an environment as their authors wrote them: for code that reads
// templates instead of rendering them.
import { checkName } from './environment.js'
import type { Host, WrittenTemplate } from './host.js'
import type { AstNode, Environment } from './internals.js'

export class Library {
  readonly #environment: Environment
  readonly #host: Host

  /** The environment is the app's own, and may render elsewhere too. */
  readonly isShared: boolean

  constructor (environment: Environment, host: Host, isShared: boolean) {
    this.isShared = isShared
    this.#environment = environment
    this.#host = host
  }

  /** The folders that loaders look into, in their order. Loaders of other kinds have none. */
  get folders (): string[] {
    return this.#environment.loaders.flatMap(({ searchPaths }) => searchPaths ?? [])
  }

  /** Whether the environment has a filter or a test. Nunjucks asks only when it renders. */
  has (kind: 'filter' | 'test', name: string): boolean {
    try {
      return (kind === 'filter' ? this.#environment.getFilter(name) : this.#environment.getTest(name)) !== undefined
    } catch {
      return false
    }
  }

  /**
   * A template; undefined when there is none of this name.
   *
   * @throws whatever its loader throws, as a rejection.
   */
  async read (name: string): Promise<WrittenTemplate | undefined> {
    checkName(name)
    return this.#host.read(name)
  }

  /**
   * The syntax tree of a template that was read.
   *
   * @throws Nunjucks' own error, with `lineno` and `colno` that count from one.
   */
  parse (source: string): AstNode {
    return this.#host.parse(source)
  }
}
