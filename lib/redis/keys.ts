// The names of a topic's data in Redis: in one hash slot, whatever the topic's name is.

/** The keys of one topic, in the order in which scripts take them, and its Pub/Sub channel. */
export interface TopicKeys {
  /** The topic itself, its log, the ids that its events brought, and its values. */
  readonly keys: readonly [string, string, string, string]
  /** The last sign of life of each process that holds something. */
  readonly alive: string
  readonly channel: string
}

/** @param db Pub/Sub knows no databases, so it stands in the name of the channel. */
export function keysOf (prefix: string, db: number, topic: string): TopicKeys {
  const base = `${prefix}{${escape(topic)}}`
  return { keys: [base, `${base}:log`, `${base}:ids`, `${base}:values`], alive: `${base}:alive`, channel: `${base}:live${db === 0 ? '' : `:${db}`}` }
}

// Braces mark what the slot is made of, where nothing is everything; half a surrogate has no form in UTF-8.
function escape (topic: string): string {
  return topic === '' ? '%' : topic.replaceAll(/[%{}]|\p{Surrogate}/gu, character => `%${character.charCodeAt(0).toString(16)}.`)
}
