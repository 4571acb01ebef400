// A list that grows: a channel for the tabs that are open, and its newest
// items for a page that is opened now. The channel replays; what this adds is
// a place to start from that it knows in any case.
import { Fragment, SSEEvent } from 'fastify-chirp'

export class Feed {
  channel
  #name
  #keep
  #items = []
  // The id of what came before the oldest item that we keep.
  #before

  /**
   * @param {object} app
   * @param {string} name of the channel, the block of the page, and its event
   * @param {{ keep: number, start: string }} options `start`: the id of the place before the first item
   */
  constructor (app, name, { keep, start }) {
    this.channel = app.channel(name, { history: keep + 1 })
    this.#name = name
    this.#keep = keep
    this.#before = start
    // Only an id: nobody sees this event, but one can go on after it.
    this.channel.publish(new SSEEvent({ id: start }))
  }

  /** Rendered once, however many tabs are open. `item.id` is the event's id and the element's. */
  async add (item) {
    await this.channel.publish(new Fragment('station.html', this.#name, { [this.#name]: item }, { target: this.#name, id: item.id }))
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
