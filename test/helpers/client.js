// A test client for apps that keep the default of `retry`: it overlooks the
// first event of each stream, which tells that and nothing else.
import { TestClient } from 'fastify-chirp/testing'

export class QuietClient extends TestClient {
  async open (path, options) {
    const stream = await super.open(path, options)
    const { next } = stream
    stream.next = async timeout => {
      const event = await next.call(stream, timeout)
      return event?.event === 'chirp:open' ? next.call(stream, timeout) : event
    }
    return stream
  }
}
