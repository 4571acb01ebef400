// Brings values to the streams of this process: the changes of a tick are
// rendered once, if there is a stream, and published in order.
import { maySee, type AudienceFilter } from '../../channel/audience.js'
import type { Channel } from '../../channel/channel.js'
import { isPromise } from '../../util/promise.js'
import type { Entry } from './entries.js'
import type { Place } from './place.js'
import { recordOf } from './record.js'

export class Outbox {
  readonly channel: Channel
  #order = 0
  // Values that have changed since they were published.
  readonly #stale = new Map<Place, Entry>()

  constructor (channel: Channel) {
    this.channel = channel
  }

  /** A value is another one. */
  changed (entry: Entry, place: Place): void {
    place.order = ++this.#order
    // Put last, where the newest are.
    this.#stale.delete(place)
    this.#stale.set(place, entry)
    if (place.audience === undefined) this.#forget(entry)
  }

  /** Publishes the changes, if there is a stream. */
  send (): void {
    if (this.channel.size > 0) this.publish()
  }

  publish (): void {
    for (const [place, entry] of this.#stale) {
      this.#stale.delete(place)
      this.#publish(entry, place)
    }
  }

  /** The newest value that one may see whose filter this is. */
  placeFor ({ place, audiences }: Entry, filter: AudienceFilter | undefined): Place {
    let newest = place
    if (filter !== undefined) for (const other of audiences.values()) if (other.order > newest.order && maySee(filter, other.audience)) newest = other
    return newest
  }

  // Each signal in order, whatever its renders take.
  #publish (entry: Entry, place: Place): void {
    if (place.isQueued) return
    const html = entry.turn ?? place.refresh()
    if (!isPromise(html)) return this.#tell(entry, place, html as string)
    place.isQueued = true
    const turn = (html as Promise<unknown>).then(() => {
      place.isQueued = false
      return place.refresh()
    }).then(html => {
      if (entry.turn === turn) entry.turn = undefined
      this.#tell(entry, place, html)
    })
    entry.turn = turn
  }

  #tell ({ name }: Entry, { audience, isDropped }: Place, html: string): void {
    if (isDropped) return
    this.channel.publish(recordOf(name, html), { audience })
  }

  /** Values for some audiences are older than the one for everyone now, so they are dropped. */
  #forget ({ name, audiences }: Entry): void {
    for (const place of audiences.values()) {
      place.isDropped = true
      this.#stale.delete(place)
      this.channel.remove(name, { audience: place.audience })
    }
    audiences.clear()
  }
}
