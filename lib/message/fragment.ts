// A Fragment names one block of a template, with the values it needs. It is
// rendered where it is sent, so one Fragment can be sent many times.
import { isSwap, swapWords } from '../dialects/list.js'
import { FST_CHIRP_FRAGMENT } from '../errors.js'
import { idProblem, nameProblem, normalizeId, retryProblem } from '../sse/field.js'
import { suggest } from '../util/closest.js'
import { quote } from '../util/describe.js'
import { unknownOption } from '../util/options.js'
import { disregard, isPromise } from '../util/promise.js'

/** Values for a template, by name: any object, also of an interface or a class. */
export type FragmentContext = object

/** The options of {@link Fragment}. */
export interface FragmentOptions {
  /**
   * The place that the HTML goes to. On htmx 2 it is the event's name, which
   * `sse-swap="name"` waits for; on htmx 4 the id of the element. Default:
   * none, which reaches `sse-swap="message"` (htmx 2) or the connecting
   * element's own target (htmx 4).
   */
  target?: string | undefined
  /** The event's id, which the client sends back when it reconnects. Default: none. */
  id?: string | number | bigint | undefined
  /** Reconnection time in milliseconds, 0..2147483647. Default: none. */
  retry?: number | undefined
  /** The `hx-swap` of the message on htmx 4; on htmx 2 the element decides. Default: none. */
  swap?: string | undefined
}

/**
 * One block of a Nunjucks template, to be rendered and sent as an event.
 *
 * @throws FST_CHIRP_FRAGMENT when a name is empty, `context` is not an object, or
 * `target`, `id`, `retry` or `swap` cannot go on the wire.
 */
export class Fragment {
  /** Name of the template. */
  readonly template: string
  /** Name of the block in it, or in a template that it extends. */
  readonly block: string
  /** The variables for the block. */
  readonly context: FragmentContext
  /** The place that the HTML goes to, as in {@link FragmentOptions}. */
  readonly target: string | undefined
  /** The event's id, as a string. */
  readonly id: string | undefined
  /** Reconnection time in milliseconds. */
  readonly retry: number | undefined
  /** The `hx-swap` of the message on htmx 4. */
  readonly swap: string | undefined

  constructor (template: string, block: string, context: FragmentContext = {}, options: FragmentOptions = {}) {
    requireName('template', template)
    requireName('block', block)
    if (isPromise(context)) {
      disregard(context)
      throw new FST_CHIRP_FRAGMENT('a Fragment', 'the context must be an object of names and values, not a promise. Await it first')
    }
    if (!isNames(context)) {
      throw new FST_CHIRP_FRAGMENT('a Fragment', 'the context must be an object of names and values, such as { items }')
    }
    if (typeof options !== 'object' || options === null || isPromise(options)) {
      disregard(options)
      throw new FST_CHIRP_FRAGMENT('a Fragment', 'the options must be an object, such as { target: \'news\' }')
    }
    refuse(unknownOption('of new Fragment()', options, ['target', 'id', 'retry', 'swap']))
    const { target, id, retry, swap } = options
    refuse(target === undefined ? undefined : nameProblem('target', target))
    refuse(id === undefined ? undefined : idProblem(id))
    refuse(retry === undefined ? undefined : retryProblem(retry))
    refuse(swap === undefined ? undefined : swapProblem(swap))

    this.template = template
    this.block = block
    this.context = context
    this.target = target === '' ? undefined : target
    this.id = id === undefined ? undefined : normalizeId(id)
    this.retry = retry
    this.swap = swap === '' ? undefined : swap
    Object.freeze(this)
  }
}

function requireName (what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') {
    disregard(name)
    throw new FST_CHIRP_FRAGMENT('a Fragment', `the ${what} must be a name, new Fragment('news.html', 'item', { item }), not ${name === '' ? 'an empty string' : typeof name}`)
  }
}

function isNames (context: unknown): boolean {
  try {
    return typeof context === 'object' && context !== null && !Array.isArray(context)
  } catch {
    // A revoked Proxy cannot even be asked.
    return false
  }
}

function refuse (problem: string | undefined): void {
  if (problem !== undefined) throw new FST_CHIRP_FRAGMENT('a Fragment', problem)
}

function swapProblem (swap: unknown): string | undefined {
  const problem = nameProblem('swap', swap)
  if (problem !== undefined || swap === '' || isSwap(swap as string)) return problem
  const words = swapWords()
  return `no page can swap by ${quote(swap as string)}. The words are ${words.join(', ')}; modifiers follow them.${suggest(swap as string, words)}`
}
