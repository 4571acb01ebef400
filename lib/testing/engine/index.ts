// The contract suite: what any engine of channels must do. It needs a function
// that runs a test, of whichever test runner, and nothing else.
import { deepEqual } from 'node:assert/strict'
import type { Engine } from '../../channel/engine.js'
import { testAge } from './age.js'
import { onBench, onEngine, until, type EngineTest } from './bench.js'
import { testEvents } from './events.js'
import { testHoldings } from './holdings.js'
import { testReplay } from './replay.js'
import { testValues } from './values.js'

/** What {@link testEngine} needs. */
export interface EngineSuite {
  /** Runs one test; `test` of node:test, tap and vitest does. */
  test: (name: string, run: () => Promise<void>) => unknown
  /** Gives a new engine without any events, or a promise of it. Each test asks for one, and closes it. */
  create: () => Engine | Promise<Engine>
}

/**
 * Runs the contract suite of engines. Tests of `latest()` and of `hold()` need an engine that has it; those of `ttl` one whose events
 * have a `time`. Others pass them by.
 */
export function testEngine ({ test, create }: EngineSuite): void {
  const run: EngineTest = (title, run) => { test(title, async () => onBench(await create(), run)) }
  testEvents(run)
  testReplay(run)
  testAge(run)
  testValues(run)
  testHoldings((title, run) => { test(title, async () => onEngine(await create(), run)) })
  run('a record is kept whole, with fields that the engine does not know', async ({ engine, publish }) => {
    const record = { data: 'one\r\ntwo \u{1F426}', version: 7, parts: [{ target: 'a', data: '' }], swap: 'innerHTML', key: 'k', later: { deep: [null, 1, ''] } }
    const { last: start } = await engine.read('a', '', 0)
    const heard: unknown[] = []
    await engine.listen('a', ({ record }) => heard.push(record))
    const { data, ...fields } = record
    const published = await publish(data, fields)
    deepEqual(published.record, record)
    deepEqual((await engine.read('a', start, 1)).entries[0]!.record, record)
    await until(() => heard.length > 0)
    deepEqual(heard[0], record)
  })
}

export type { Beat, Engine, Holding, Page, Publication, StoredEvent } from '../../channel/engine.js'
