// The contract of engines that know which process holds a value, and when that process is gone.
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Engine, Holdings, StoredEvent } from '../../channel/engine.js'
import { until, wait } from './bench.js'

interface HoldingBench {
  engine: Engine & Holdings
  hold (owner: string, key: string, data: string, removes?: true): Promise<StoredEvent>
  /** What the topic has, as `data`. */
  values (): Promise<unknown[]>
  /** Looks again and again until an owner is silent, as another one does. */
  whenSilent (owner: string): Promise<void>
}

const SILENCE = 300

/** For engines that have hold(). */
export function testHoldings (test: (title: string, run: (engine: Engine) => Promise<void>) => void): void {
  const testHolding = (title: string, run: (bench: HoldingBench) => Promise<void>): void => test(title, async given => {
    if (given.hold === undefined) return
    const engine = given as Engine & Holdings
    await run({
      engine,
      hold: async (owner, key, data, removes) => engine.hold('a', { owner, key, record: { data }, removes }),
      values: async () => (await engine.latest('a')).map(({ record }) => record.data),
      async whenSilent (owner) {
        for (;;) {
          const { silent } = await engine.beat('a', SILENCE, 'looking')
          if (silent.includes(owner)) return
          await wait(20)
        }
      }
    })
  })

  testHolding('what is held is told, and kept by owner and key until it is released', async ({ engine, hold, values }) => {
    const heard: StoredEvent[] = []
    await engine.listen('a', event => heard.push(event))
    const first = await hold('one', 'x', '1')
    await hold('two', 'x', '2')
    await hold('one', 'y {}\n', '3')
    deepEqual(await values(), ['1', '2', '3'])
    await hold('one', 'x', '4')
    deepEqual(await values(), ['2', '3', '4'])
    await hold('two', 'x', '5', true)
    await hold('two', 'never there', '6', true)
    deepEqual(await values(), ['3', '4'])
    await until(() => heard.length === 6)
    deepEqual(heard.map(({ record: { data } }) => data), ['1', '2', '3', '4', '5', '6'])
    deepEqual([heard[0]!.position, heard[1]!.previous], [first.position, first.position])
  })

  testHolding('an owner that is not heard of is silent, and one of several takes out what it holds', async ({ engine, hold, values, whenSilent }) => {
    const heard: unknown[] = []
    await engine.listen('a', ({ record }) => heard.push(record.data))
    await hold('looking', 'x', 'mine')
    await hold('gone', 'x', '1')
    await hold('gone', 'y', '2')
    deepEqual(await engine.beat('a', SILENCE, 'gone'), { silent: [], isKnown: true })
    equal((await engine.beat('a', SILENCE, 'stranger')).isKnown, false)
    equal((await engine.beat('a', SILENCE)).isKnown, false)
    await whenSilent('gone')
    const evict = async (): Promise<StoredEvent | undefined> => engine.evict('a', SILENCE, 'gone', { data: 'evicted' })
    const events = await Promise.all([evict(), evict(), evict()])
    equal(events.filter(event => event !== undefined).length, 1)
    deepEqual(await values(), ['mine'])
    await until(() => heard.includes('evicted'))
    deepEqual(heard, ['mine', '1', '2', 'evicted'])
    equal((await engine.beat('a', SILENCE, 'gone')).isKnown, false, 'it is told so')
    await hold('gone', 'x', 'again')
    equal((await engine.beat('a', SILENCE, 'gone')).isKnown, true)
  })

  testHolding('an owner that is heard of in time is not taken out, nor one that holds nothing', async ({ engine, hold, values, whenSilent }) => {
    await hold('alive', 'x', '1')
    equal(await engine.evict('a', SILENCE, 'alive', { data: 'no' }), undefined)
    equal(await engine.evict('a', SILENCE, 'stranger', { data: 'no' }), undefined)
    await whenSilent('alive')
    equal((await engine.beat('a', SILENCE, 'alive')).isKnown, true)
    equal(await engine.evict('a', SILENCE, 'alive', { data: 'no' }), undefined)
    deepEqual(await values(), ['1'])
    await hold('alive', 'x', '2', true)
    await whenSilent('alive').catch(() => {})
    equal(await engine.evict('a', SILENCE, 'alive', { data: 'no' }), undefined)
  })

  testHolding('after a time in which nobody was heard of, nobody is silent', async ({ engine, hold }) => {
    await hold('one', 'x', '1')
    await engine.beat('a', SILENCE, 'two')
    await wait(SILENCE + 50)
    const { silent } = await engine.beat('a', SILENCE, 'two')
    ok(silent.length === 0, 'the engine was away itself')
  })
}
