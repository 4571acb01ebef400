// Where the parts of the app meet: they publish here, every open tab listens.
import { EventEmitter, on } from 'node:events'

export class Hub {
  // Every tab is a listener, so many of them are no sign of a leak.
  #emitter = new EventEmitter().setMaxListeners(0)

  publish (topic, value) {
    this.#emitter.emit('value', topic, value)
  }

  /**
   * An async iterator of `[topic, value]`. It collects from the moment of this
   * call, also while nobody asks it for the next value, until `signal` aborts.
   */
  subscribe (signal) {
    return on(this.#emitter, 'value', { signal })
  }

  /** How many listen now. */
  get size () {
    return this.#emitter.listenerCount('value')
  }
}
