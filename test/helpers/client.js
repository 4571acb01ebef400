// Test clients with more patience than the one that users get.
import { TestClient as Client } from 'fastify-chirp/testing'

/** Longer than the slowest machine takes for what does come. */
export const PATIENCE = 30000

/** Its defaults are no waits for silence: where nothing should come, a test says how long it listens. */
export class TestClient extends Client {
  sse (path, options) {
    return super.sse(path, { timeout: PATIENCE, ...options })
  }

  async open (path, options) {
    const stream = await super.open(path, options)
    const { next } = stream
    stream.next = (timeout = PATIENCE) => next.call(stream, timeout)
    return stream
  }

  /** The first `count` events of a stream that stays open, and one that should not come behind them. */
  async first (count, path, options) {
    const stream = await this.open(path, options)
    const events = []
    while (events.length < count) events.push(await stream.next())
    const more = await stream.next(50)
    stream.close()
    return more === undefined ? events : [...events, more]
  }
}

/** For apps that keep the default of `retry`: it overlooks the first event of each stream, which tells that and nothing else. */
export class QuietClient extends TestClient {
  async open (path, options) {
    const stream = await super.open(path, options)
    const { next } = stream
    stream.next = async timeout => {
      const event = await next(timeout)
      return event?.event === 'chirp:open' ? next(timeout) : event
    }
    return stream
  }
}
