// A list that grows: a channel for the tabs that are open, and its newest
// items for a page that is opened now. The channel replays; what this adds is
// a place to start from that it knows in any case.
import { Fragment, SSEEvent } from 'fastify-chirp'

export class Feed {
  channel
  #block
  #target
  #swap
  #keep
  #items = []
  // The id of what came before the oldest item that we keep.
  #before

  /**
   * @param {object} app
   * @param {string} name of the channel and of the list on the page
   * @param {{ block: string, swap: string, keep: number, start: string }} options
   *   `block`: one item, by the name of its variable; `swap`: which end of the list it goes to, as in the
   *   list's hx-swap, for pages on htmx 4; `start`: the id of the place before the first item
   */
  constructor (app, name, { block, swap, keep, start }) {
    this.channel = app.channel(name, { history: keep + 1 })
    this.#block = block
    this.#target = name
    this.#swap = swap
    this.#keep = keep
    this.#before = start
    // Only an id: nobody sees this event, but one can go on after it.
    this.channel.publish(new SSEEvent({ id: start }))
  }

  /** Rendered once, however many tabs are open. `item.id` is the event's id and the element's. */
  async add (item) {
    await this.channel.publish(new Fragment('station.html', this.#block, { [this.#block]: item }, { target: this.#target, swap: this.#swap, id: item.id }))
    this.#items.push(item)
    if (this.#items.length > this.#keep) this.#before = this.#items.shift().id
  }

  /** The newest items, oldest first. */
  newest (count = this.#keep) {
    return this.#items.slice(-count)
  }

  /** The id of the newest item: where a page that shows it goes on. */
  get cursor () {
    return this.#items.at(-1)?.id ?? this.#before
  }

  /** `id` if the channel can go on after it. Else it is of another process, or too old, and all that we have is new. */
  resume (id) {
    return this.#items.some(item => item.id === id) ? id : this.#before
  }
}
