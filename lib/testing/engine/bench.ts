// The tools of each test of the contract suite.
import { rejects } from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Engine, Page, Publication, StoredEvent } from '../../channel/engine.js'

export { wait }

/** An event as the engine gave it, with the id that clients see. */
export interface Seen extends StoredEvent {
  id: string
}

export interface SeenPage extends Omit<Page, 'entries'> {
  entries: Seen[]
}

interface Fields {
  topic?: string
  history?: number
  audience?: unknown
  latest?: boolean
  ttl?: number
  /** The key of the publication; a `key` is one of the record. */
  replaces?: string
  removes?: true
  [field: string]: unknown
}

export interface Bench {
  engine: Pick<Engine, 'open' | 'latest' | 'forget' | 'close'> & {
    read (topic: string, after: string, limit: number): Promise<SeenPage>
    listen (topic: string, listener: (event: Seen) => void): Promise<() => void>
  }
  publish (data: string, fields?: Fields): Promise<Seen>
  publishAll (values: readonly string[], fields?: Fields): Promise<Seen[]>
}

/** Runs a test with an engine of its own. */
export type EngineTest = (title: string, run: (bench: Bench) => Promise<void>) => void

/** The same without a bench. */
export async function onEngine (engine: Engine, run: (engine: Engine) => Promise<void>): Promise<void> {
  try {
    await run(engine)
  } finally {
    await engine.close()
  }
}

export async function onBench (given: Engine, run: (bench: Bench) => Promise<void>): Promise<void> {
  const publish: Bench['publish'] = async (data, { topic = 'a', history = 100, audience, latest, ttl, replaces: key, removes, ...fields } = {}) => {
    const record = { data, ...fields } as Publication['record']
    return see(await given.publish(topic, { record, audience, history, latest, ttl, key, removes }))
  }
  await run({
    engine: {
      open: given.open?.bind(given),
      latest: given.latest?.bind(given),
      forget: given.forget?.bind(given),
      close: () => given.close(),
      async read (topic, after, limit) {
        const { from, entries, last, audience } = await given.read(topic, after, limit)
        const page = { from, entries: entries.map(see), last }
        return audience === undefined ? page : { ...page, audience }
      },
      listen: async (topic, listener) => given.listen(topic, event => { listener(see(event)) })
    },
    publish,
    async publishAll (values, fields) {
      const events: Seen[] = []
      for (const value of values) events.push(await publish(value, fields))
      return events
    }
  })
  await given.close()
}

function see ({ position, previous, record, audience, time }: StoredEvent): Seen {
  return { position, previous, record, audience, id: record.id ?? position, ...(time !== undefined && { time }) }
}

export function epochOf (position: string): string {
  return position.slice(0, position.lastIndexOf('-'))
}

export function dataOf (events: readonly Seen[]): unknown[] {
  return events.map(({ record: { data } }) => data)
}

/** The engine refuses an id. */
export async function refused (published: Promise<Seen>): Promise<void> {
  await rejects(published, { code: 'FST_CHIRP_ID' })
}

/** Waits until `condition` holds. */
export async function until (condition: () => boolean, timeout = 5000): Promise<void> {
  const deadline = Date.now() + timeout
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${String(condition)}`)
    await wait(5)
  }
}
