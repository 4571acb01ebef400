// Makes one derived value of others. What fails keeps the value before.
import { EMPTY, type Box } from './graph.js'
import { atOnce } from './options.js'
import type { PlaceHost } from './place.js'

export type Equals = ((before: unknown, after: unknown) => unknown) | undefined

type Host = Pick<PlaceHost, 'run' | 'report'>

export class Derivation {
  readonly #name: string
  readonly #make: (...values: unknown[]) => unknown
  readonly #equals: Equals
  readonly #host: Host
  #last = EMPTY

  constructor (name: string, make: (...values: unknown[]) => unknown, equals: Equals, host: Host) {
    this.#name = name
    this.#make = make
    this.#equals = equals
    this.#host = host
  }

  /** The same box where the value is the same. Never fails. */
  derive (boxes: readonly Box[]): Box {
    const { run, report } = this.#host
    try {
      const values = boxes.map(({ value }) => value)
      const value = values.includes(undefined) ? undefined : run(() => atOnce(`the function of derived value "${this.#name}"`, this.#make(...values)))
      if (!isEqual(this.#name, this.#last.value, value, this.#equals, this.#host)) this.#last = { value }
    } catch (error) {
      report(error, `derived value "${this.#name}" keeps its value, because its function failed`)
    }
    return this.#last
  }
}

/** Whether a value is the one before. One that cannot be compared is another one. */
export function isEqual (name: string, before: unknown, after: unknown, equals: Equals, { run, report }: Host): boolean {
  if (equals === undefined || before === undefined || after === undefined) return Object.is(before, after)
  try {
    return run(() => atOnce(`option "equals" of "${name}"`, equals(before, after))) === true
  } catch (error) {
    report(error, `the values of "${name}" could not be compared, and count as different`)
    return false
  }
}
