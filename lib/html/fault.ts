// What goes wrong while a template renders, on its way from the place where it
// happened to the caller. Nunjucks passes these through as they are, so the
// original error and its place survive includes, macros and callbacks.
import { FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_RENDER, FST_CHIRP_RENDER_TIMEOUT, FST_CHIRP_TEMPLATE_NOT_FOUND } from '../errors.js'

/** What was asked for: a whole template, or one block of it. */
export interface Subject { template: string, block?: string | undefined }

/**
 * A place in a template, `line:column:template`, 1-based, or `::template`. One
 * string, because it is a constant in compiled templates.
 */
export type Site = string

/** A failure and the place where it happened, if that is known. */
export class Fault extends Error {
  readonly site: Site | undefined

  constructor (cause: unknown, site: Site | undefined) {
    super(messageOf(cause), { cause })
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

/** An extends, include or import (or the caller) named a template that does not exist. */
export class MissingTemplate extends Fault {
  readonly #name: string

  constructor (name: string, site: Site | undefined) {
    super(undefined, site)
    this.#name = name
  }

  override toError (): Error {
    return new FST_CHIRP_TEMPLATE_NOT_FOUND(this.#name, this.site === undefined ? '' : `. It is named in ${place(this.site)}`)
  }
}

/** No template of the chain has the block. */
export class MissingBlock extends Fault {
  readonly #names: string[]

  constructor (names: string[]) {
    super(undefined, undefined)
    this.#names = names
  }

  override toError ({ template, block }: Subject): Error {
    const names = this.#names.map(name => `"${name}"`).join(', ')
    return new FST_CHIRP_BLOCK_NOT_FOUND(template, block as string, names === '' ? 'no blocks' : names)
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

/** What `throwOnUndefined` reports, with the expression as the template has it. */
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
  const { label, position } = parse(site)
  if (label !== template) return `${what} (${place(site)})`
  return position === '' ? what : `${what} (${position})`
}

function place (site: Site): string {
  const { label, position } = parse(site)
  return position === '' ? `"${label}"` : `"${label}", ${position}`
}

function parse (site: Site): { label: string, position: string } {
  const [line, column, ...label] = site.split(':')
  return { label: label.join(':'), position: line === '' ? '' : `line ${line}, column ${column}` }
}

function messageOf (cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
