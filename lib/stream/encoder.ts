// Makes the values of one stream into frames. One that fails is reported, and the others go on.
import type { Dialect } from '../dialects/dialect.js'
import { failuresOf, partMessage, type RenderHost } from '../message/compose.js'
import { encodeValue, encodeValueError } from '../message/encode.js'
import type { Renderer } from '../render/renderer.js'
import type { StreamEnvironment } from './environment.js'

export class Encoder implements RenderHost {
  readonly #app: StreamEnvironment
  readonly #dialect: Dialect
  readonly #event: string | undefined
  readonly #report: (error: unknown, message: string) => void

  /** `event` is the name of plain values; `report` gets each failure. */
  constructor (app: StreamEnvironment, dialect: Dialect, event: string | undefined, report: (error: unknown, message: string) => void) {
    this.#app = app
    this.#dialect = dialect
    this.#event = event
    this.#report = report
  }

  get renderer (): Renderer {
    return this.#app.renderer
  }

  get debug (): boolean {
    return this.#app.settings.debug
  }

  partFailed (error: unknown): void {
    this.#report(error, partMessage(this.debug))
  }

  /** The frame of a value; `''` where there is nothing to send. Never fails. */
  encode (value: unknown): string | Promise<string> {
    try {
      this.#app.warnings?.check(value, this.#event)
      const frame = encodeValue(value, this.#event, this, this.#dialect)
      return typeof frame === 'string' ? frame : frame.catch(error => this.#failed(value, error))
    } catch (error) {
      return this.#failed(value, error)
    }
  }

  #failed (value: unknown, error: unknown): string {
    for (const failure of failuresOf(error)) this.#report(failure, this.debug ? 'the error of an event was sent in its place' : 'an event was not sent')
    return this.debug ? encodeValueError(value, error, this.#dialect) : ''
  }
}
