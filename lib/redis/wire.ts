// Events as they are kept in Redis and told over Pub/Sub, and their positions:
// the epoch of the topic, and the id in its log.
import type { Publication, StoredEvent } from '../channel/engine.js'

/** An event that came over Pub/Sub, with what holds for its topic from then on. */
export interface Told {
  event: StoredEvent
  history: number
  ttl: number
  /** Bytes, about. */
  size: number
}

/** The content of an event, as one text. */
export function toBody ({ record, audience }: Pick<Publication, 'record' | 'audience'>): string {
  return JSON.stringify({ record, audience })
}

export function toPosition (epoch: string, id: string): string {
  return `${epoch}-${id.replace('-', '.')}`
}

/** An event; one whose content is not readable has no record, and the plugin says so. */
export function toEvent (epoch: string, id: string, previous: string, body: string): StoredEvent {
  let content: Partial<StoredEvent> = {}
  try {
    content = JSON.parse(body) ?? {}
  } catch {}
  return {
    position: toPosition(epoch, id),
    previous: toPosition(epoch, previous),
    record: content.record!,
    audience: content.audience,
    time: Number(id.slice(0, id.indexOf('-')))
  }
}

/** The message of the publishing script: a line with `epoch id previous history ttl`, and the content. */
export function toTold (message: string): Told | undefined {
  const end = message.indexOf('\n')
  const [epoch, id, previous, history, ttl] = message.slice(0, end).split(' ')
  if (ttl === undefined) return undefined
  return { event: toEvent(epoch!, id!, previous!, message.slice(end + 1)), history: Number(history), ttl: Number(ttl), size: message.length }
}

/** Whether a position comes after another one of the same epoch. */
export function isAfter (position: string, other: string): boolean {
  const a = partsOf(position)
  const b = partsOf(other)
  return a.epoch === b.epoch && (a.time > b.time || (a.time === b.time && a.count > b.count))
}

function partsOf (position: string): { epoch: string, time: number, count: number } {
  const dash = position.indexOf('-')
  const dot = position.indexOf('.', dash)
  return { epoch: position.slice(0, dash), time: Number(position.slice(dash + 1, dot)), count: Number(position.slice(dot + 1)) }
}
