// The tests of a deferred value: `is pending`, `is failed` and `is settled`.
import { missingState } from '../../unsettled.js'
import type { AnyFunction, Environment } from '../internals.js'

type Tests = Record<string, (value: unknown) => boolean>

const TESTS: Tests = {
  pending: value => missingState(value) === 'pending',
  failed: value => missingState(value) === 'failed',
  settled: value => missingState(value) === undefined
}

/**
 * Adds the tests to an environment. One that has a test of such a name keeps
 * it, also in `view`, through which the plugin renders: there ours answers for
 * values that are not there.
 */
export function addTests (environment: Environment, view: Environment): void {
  const own = new Map<string, AnyFunction>()
  for (const [name, test] of Object.entries(TESTS)) {
    if (environment.tests[name] === undefined) environment.addTest(name, test as AnyFunction)
    own.set(name, function (this: unknown, ...args) {
      return missingState(args[0]) === undefined ? Reflect.apply(environment.getTest(name), this, args) : test(args[0])
    })
  }
  view.getTest = name => own.get(name) ?? environment.getTest(name)
}
