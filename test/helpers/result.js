// What a stream gave.

/** The data of its events. */
export const data = result => result.events.map(event => event.data)
