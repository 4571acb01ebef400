// Errors of a render, on their way from the place where they
// happened to the caller. Nunjucks passes them through as they are, so the
// original error and its place survive includes, macros and callbacks.
import { FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_RENDER, FST_CHIRP_RENDER_TIMEOUT, FST_CHIRP_TEMPLATE_NOT_FOUND } from '../../errors.js'
import { type Place, places } from '../../message/place.js'
import { isError, messageOf, toCause } from '../../util/thrown.js'

/** The task: a whole template, or one block of it. */
export interface Subject { template: string, block?: string | undefined }

/**
 * A place in a template, `line:column:template`, 1-based, or `::template`. One
 * string, because it is a constant in compiled templates.
 */
export type Site = string

/** The error for a caller, which {@link placeOf} knows. */
export function failureOf (fault: Fault, subject: Subject): Error {
  const error = fault.toError(subject)
  places.set(error, fault.site === undefined ? { template: subject.template, line: undefined, column: undefined } : parse(fault.site))
  return error
}

/** A failure and the place where it happened, if that is known. */
export class Fault extends Error {
  readonly site: Site | undefined

  constructor (cause: unknown, site: Site | undefined) {
    super(messageOf(cause), { cause: toCause(cause) })
    this.site = site
  }

  // Nunjucks calls this on errors of its own to add a file's name, and wraps
  // those that do not have it.
  Update (): this {
    return this
  }

  /** The error for the caller. */
  toError (subject: Subject): Error {
    return new FST_CHIRP_RENDER(describe(subject, this.site), this.message, { cause: this.cause })
  }
}

/** A {@link Fault} for whatever was thrown. */
export function toFault (error: unknown, site: Site | undefined): Fault {
  return isError(error) && error instanceof Fault ? error : new Fault(error, site)
}

/** An extends, include or import (or the caller) named a template that does not exist. */
export class MissingTemplate extends Fault {
  readonly #name: string

  constructor (name: string, site: Site | undefined, reason?: StrayTemplate) {
    super(reason, site)
    this.#name = name
  }

  override toError (): Error {
    const named = this.site === undefined ? '' : `. It is named in ${place(this.site)}`
    return new FST_CHIRP_TEMPLATE_NOT_FOUND(this.#name, this.cause === undefined ? named : `: ${this.message}${named}`)
  }
}

/** The error of a loader for a file that exists and that it refuses to read. */
export class StrayTemplate extends Error {}

/** No template of the chain has the block. */
export class MissingBlock extends Fault {
  readonly #names: string[]
  readonly #included: string | undefined

  /** `included` is a template that one of the chain includes, and that has the block. */
  constructor (names: string[], included: string | undefined) {
    super(undefined, undefined)
    this.#names = names
    this.#included = included
  }

  override toError ({ template, block }: Subject): Error {
    const names = this.#names.length === 0 ? 'no blocks' : this.#names.map(name => `"${name}"`).join(', ')
    const hint = this.#included === undefined ? '' : `. The included template "${this.#included}" has it: name that template instead`
    return new FST_CHIRP_BLOCK_NOT_FOUND(template, block as string, `${names}${hint}`)
  }
}

/** Something asynchronous did not answer. */
export class Timeout extends Fault {
  readonly #milliseconds: number

  constructor (milliseconds: number, site: Site | undefined) {
    super(undefined, site)
    this.#milliseconds = milliseconds
  }

  override toError (subject: Subject): Error {
    return new FST_CHIRP_RENDER_TIMEOUT(describe(subject, this.site), this.#milliseconds)
  }
}

/** The error of `throwOnUndefined`, with the expression as the template has it. */
export class UndefinedError extends Error {
  constructor (expression: string, value: null | undefined) {
    super(`'${expression}' is ${value}`)
  }
}
// On the prototype, as for the errors of JavaScript itself.
Object.defineProperty(UndefinedError.prototype, 'name', { value: 'UndefinedError', configurable: true, writable: true })

function describe ({ template, block }: Subject, site: Site | undefined): string {
  const what = block === undefined ? `"${template}"` : `block "${block}" of "${template}"`
  if (site === undefined) return what
  if (parse(site).template !== template) return `${what} (${place(site)})`
  const position = positionOf(site)
  return position === '' ? what : `${what} (${position})`
}

function place (site: Site): string {
  const { template } = parse(site)
  const position = positionOf(site)
  return position === '' ? `"${template}"` : `"${template}", ${position}`
}

function positionOf (site: Site): string {
  const { line, column } = parse(site)
  return line === undefined ? '' : `line ${line}, column ${column}`
}

function parse (site: Site): Place {
  const [line, column, ...label] = site.split(':')
  const template = label.join(':')
  return line === '' ? { template, line: undefined, column: undefined } : { template, line: Number(line), column: Number(column) }
}
