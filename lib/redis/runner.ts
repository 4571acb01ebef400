// Runs scripts in the order of the calls, also when Redis has forgotten them.
import type { Script } from './scripts.js'

/** The runner of a script: a client of Redis. */
export interface ScriptClient {
  evalsha (sha: string, keys: number, ...args: Array<string | number>): Promise<unknown>
  eval (text: string, keys: number, ...args: Array<string | number>): Promise<unknown>
}

interface Waiting { order: number, go: () => void }

export class Runner {
  readonly #client: () => ScriptClient
  #calls = 0
  // Calls that wait while a script is sent in full; undefined when none is.
  #waiting: Waiting[] | undefined

  /** @param client gives the client of now; it may throw. */
  constructor (client: () => ScriptClient) {
    this.#client = client
  }

  async run ({ sha, text }: Script, keys: readonly string[], ...args: Array<string | number>): Promise<unknown[]> {
    const order = this.#calls++
    const send = async (): Promise<unknown> => this.#client().evalsha(sha, keys.length, ...keys, ...args)
    for (;;) {
      try {
        const reply = this.#waiting === undefined ? send() : new Promise(resolve => { this.#waiting!.push({ order, go: () => { resolve(send()) } }) })
        return await reply as unknown[]
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      }
      if (this.#waiting !== undefined) continue
      this.#waiting = []
      try {
        return await this.#client().eval(text, keys.length, ...keys, ...args) as unknown[]
      } finally {
        // Those that were refused before have heard of it by then.
        setImmediate(() => this.#release())
      }
    }
  }

  /** In the order of the calls. */
  #release (): void {
    const waiting = this.#waiting!.sort((a, b) => a.order - b.order)
    this.#waiting = undefined
    for (const { go } of waiting) go()
  }
}
