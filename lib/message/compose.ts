// Renders several fragments into one message.
import type { EventRecord, Part } from '../dialects/record.js'
import { FST_CHIRP_RENDER } from '../errors.js'
import { isPromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import { errorBox } from './error-box.js'
import type { Fragment, FragmentContext } from './fragment.js'
import type { Fragments } from './fragments.js'

/** Renders one block of a template. */
export interface BlockRenderer {
  /**
   * The HTML of one block, as it is in the page. A string when nothing
   * asynchronous was met, else a promise.
   *
   * @throws FST_CHIRP_* or rejects with it.
   */
  renderBlock (template: string, block: string, context: FragmentContext, page?: object): string | Promise<string>
}

/** The parts of the sender that a render needs. */
export interface RenderHost {
  readonly renderer: BlockRenderer
  readonly debug: boolean
  /** Tells of a fragment that failed in a message that goes on without it. */
  partFailed (error: unknown): void
}

type Rendered = { html: string } | { error: unknown }

// Errors of whole messages, and the errors of their fragments.
const failures = new WeakMap<object, readonly unknown[]>()

/**
 * The content of one message. A promise when something asynchronous was met.
 *
 * @throws FST_CHIRP_RENDER (also as a rejection) when none of them rendered.
 */
export function composeMessage (value: Fragments, host: RenderHost): EventRecord | Promise<EventRecord> {
  const parts = value.fragments.map(fragment => renderOne(fragment, host.renderer))
  return parts.some(isPromise)
    ? Promise.all(parts).then(parts => compose(value, parts, host))
    : compose(value, parts as Rendered[], host)
}

/** The message of boxes that takes the place of one that could not be rendered at all. */
export function boxMessage (value: Fragments, error: unknown): EventRecord {
  const errors = failuresOf(error)
  return { ...toMessage(value, value.fragments.map((fragment, n) => boxPart(fragment, errors[n] ?? error))), id: undefined, retry: undefined }
}

/** The errors, one by one: a message that could not be rendered has as many errors as fragments. */
export function failuresOf (error: unknown): readonly unknown[] {
  // A thrown value of any kind can be read this way.
  return failures.get(error as object) ?? [error]
}

/** The log line for a fragment that failed in a message that goes on. */
export function partMessage (debug: boolean): string {
  return debug ? 'the error box of a fragment took its place in a message' : 'a fragment of a message was left out'
}

function renderOne ({ template, block, context }: Fragment, renderer: BlockRenderer): Rendered | Promise<Rendered> {
  try {
    const html = renderer.renderBlock(template, block, context)
    return typeof html === 'string' ? { html } : html.then(html => ({ html }), error => ({ error }))
  } catch (error) {
    return { error }
  }
}

function compose (value: Fragments, parts: Rendered[], host: RenderHost): EventRecord {
  const errors = parts.flatMap(part => 'error' in part ? [part.error] : [])
  if (errors.length === parts.length) {
    const error = new FST_CHIRP_RENDER(`any of ${parts.length} fragments`, errors.map(messageOf).join('; '), { cause: new AggregateError(errors) })
    failures.set(error, errors)
    throw error
  }
  return toMessage(value, parts.flatMap((part, n) => {
    const fragment = value.fragments[n]!
    if ('html' in part) return [toPart(fragment, part.html.trim())]
    host.partFailed(part.error)
    return host.debug ? [boxPart(fragment, part.error)] : []
  }))
}

function boxPart (fragment: Fragment, error: unknown): Part {
  return toPart(fragment, errorBox(fragment.block, error))
}

function toPart ({ target, swap }: Fragment, data: string): Part {
  return { target, swap, data }
}

function toMessage (value: Fragments, parts: Part[]): EventRecord {
  const { id, retry } = value
  return { id, retry, key: messageKey(value), parts }
}

/** The key of a message of several fragments, where values replace each other. */
export function messageKey ({ fragments }: Fragments): string {
  // No target has a line break in it.
  return fragments.map(({ target = '' }) => target).join('\n')
}
