// Publications that wait for Redis, in the order of the calls. None of them has been sent.

interface Waiting { send: () => void, refuse: (error: Error) => void }

export class OfflineQueue {
  readonly #limit: number
  #waiting: Waiting[] = []

  constructor (limit: number) {
    this.#limit = limit
  }

  /** Sends it when Redis is there. `error` is why it is not; undefined while that is yet to be seen. */
  async push<T> (send: () => Promise<T>, error: Error | undefined): Promise<T> {
    if (error !== undefined && this.#waiting.length >= this.#limit) throw error
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ send: () => resolve(send()), refuse: reject })
    })
  }

  flush (): void {
    for (const { send } of this.#waiting.splice(0)) send()
  }

  /** Redis is out of reach: only so many may wait. */
  trim (error: Error): void {
    for (const { refuse } of this.#waiting.splice(this.#limit)) refuse(error)
  }

  refuse (error: Error): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error)
  }
}
