// A feed over a source that values are pulled from.
import { isFeed, kAttach, type Attachment, type Feed, type Outlet } from './feed.js'
import { Pump } from './pump.js'
import { openSource, type OpenSource } from './source.js'

class Pulled implements Feed {
  readonly #source: OpenSource

  constructor (source: unknown) {
    this.#source = openSource(source)
  }

  [kAttach] (outlet: Outlet): Attachment {
    const pump = new Pump(this.#source, outlet)
    pump.run()
    return pump
  }

  discard (): Promise<unknown> | undefined {
    return this.#source.close()
  }
}

/**
 * The content of a stream: pushed by a feed, or pulled from any other source, which is opened.
 *
 * @throws FST_CHIRP_SOURCE when it is neither.
 */
export function toFeed (source: unknown): Feed {
  return isFeed(source) ? source : new Pulled(source)
}
