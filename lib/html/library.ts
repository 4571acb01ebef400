// The templates of an environment as their authors wrote them: for who reads
// templates instead of rendering them.
import { checkName } from './environment.js'
import type { Host, WrittenTemplate } from './host.js'
import type { AstNode, Environment } from './nunjucks.js'

export class Library {
  readonly #environment: Environment
  readonly #host: Host

  constructor (environment: Environment, host: Host) {
    this.#environment = environment
    this.#host = host
  }

  /** The folders that loaders look into, in their order. Loaders of other kinds have none. */
  get folders (): string[] {
    return this.#environment.loaders.flatMap(({ searchPaths }) => searchPaths ?? [])
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
