// The options of a live view.
import type { FastifyRequest } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { Fragment, type FragmentContext } from '../message/fragment.js'
import { canonicalPath } from '../render/path.js'
import { describe } from '../util/describe.js'
import { isList, isOf } from '../util/kind.js'
import { integer, MAX_TIME, refuseUnknown } from '../util/options.js'
import type { MaybePromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'

/** The viewer and the signal of a context of a live view. */
export interface LiveContext<Viewer = unknown> {
  /** The result of the option `viewer`, as a copy; undefined without that option. */
  readonly viewer: Viewer
  /** Aborts when the context is no longer needed. */
  readonly signal: AbortSignal
}

/** A block that follows its data, and its target. */
export interface LiveBlockOptions {
  /** The name of the block. */
  block: string
  /** The id of its element, as in `sse_swap("list")`. Default: the name of the block. */
  target?: string | undefined
  /** The swap on htmx 4, such as `innerMorph`; on htmx 2 the element decides. Default: that of the element. */
  swap?: string | undefined
}

/** Options of `app.liveView()`. */
export interface LiveViewOptions<Viewer = unknown> {
  /** The template of the page. */
  template: string
  /** Plain data about the viewer of the page: equal viewers share renders. Default: none, one render for everyone. */
  viewer?: ((request: FastifyRequest) => MaybePromise<Viewer>) | undefined
  /** The variables of the page of one key. `null`: the key does not exist, or no longer. Called for page requests, and once for all equal viewers when something has changed. */
  context: (key: string, given: LiveContext<Viewer>) => MaybePromise<FragmentContext | null | undefined>
  /** The blocks that follow their data. Default: those that the template places with a literal `sse_swap("name")`. */
  blocks?: ReadonlyArray<string | LiveBlockOptions> | undefined
  /** Whether a request may see a key. Called for each page and stream, and again by `view.recheck(key)`. Default: every request may. */
  authorize?: ((request: FastifyRequest, key: string) => MaybePromise<boolean>) | undefined
  /** Paths that are computed from others: a change of one of those is a change of the path. Default: none. */
  derive?: Readonly<Record<string, readonly string[]>> | undefined
  /** Paths that a block reads without a trace in its template, by block. Default: none. */
  reads?: Readonly<Record<string, readonly string[]>> | undefined
  /** Milliseconds in which changes are collected before anything is rendered. Default: 20. Off: `0`. */
  delay?: number | undefined
}

/** A block as it is sent. */
export interface Placement { block: string, target: string, swap: string | undefined }

/** Options that were checked. */
export interface LiveViewSettings extends Pick<LiveViewOptions, 'template' | 'viewer' | 'context' | 'authorize'> {
  name: string
  /** Undefined: what the template places. */
  blocks: readonly Placement[] | undefined
  /** In canonical form. */
  derive: ReadonlyMap<string, readonly string[]>
  reads: ReadonlyMap<string, readonly string[]>
  delay: number
}

const OPTIONS = ['template', 'context', 'blocks', 'viewer', 'authorize', 'derive', 'reads', 'delay']
const DELAY = 20

/** @throws FST_CHIRP_OPTION for a bad name or option. */
export function checkLiveView (name: unknown, options: unknown): LiveViewSettings {
  if (typeof name !== 'string' || name === '') throw new FST_CHIRP_OPTION(`a live view needs a name, app.liveView('ticket', { template, context }), not ${describe(name)}`)
  const where = `of app.liveView('${name}')`
  refuseUnknown(where, options, OPTIONS)
  const { template, context, blocks, viewer, authorize, derive, reads, delay } = options as Partial<LiveViewOptions>
  if (typeof template !== 'string' || template === '') throw wrong('template', where, 'the name of a template', template)
  if (typeof context !== 'function') throw wrong('context', where, 'a function of a key that gives the variables of its page', context)
  for (const [option, value] of Object.entries({ viewer, authorize })) {
    if (value !== undefined && typeof value !== 'function') throw wrong(option, where, 'a function of a request', value)
  }
  const placements = blocks === undefined ? undefined : placementsOf(template, blocks, where)
  const declared = pathsBy('reads', where, reads)
  for (const block of declared.keys()) {
    if (placements !== undefined && !placements.some(placement => placement.block === block)) {
      throw new FST_CHIRP_OPTION(`option "reads" ${where} names the block "${block}", which is not in "blocks". Add it there, or remove it here`)
    }
  }
  return {
    name,
    template,
    context,
    viewer,
    authorize,
    blocks: placements,
    derive: new Map([...pathsBy('derive', where, derive)].map(([path, from]) => [canonical('derive', where, path), from])),
    reads: declared,
    delay: integer('delay', delay, 0, MAX_TIME, where) ?? DELAY
  }
}

function placementsOf (template: string, blocks: unknown, where: string): Placement[] {
  if (!isList(blocks)) throw wrong('blocks', where, 'a list of blocks, such as [\'header\', { block: \'rows\', target: \'list\' }]', blocks)
  const placements = blocks.map((given): Placement => {
    const options = typeof given === 'string' ? { block: given } : given
    refuseUnknown(`in "blocks" ${where}`, options, ['block', 'target', 'swap'])
    try {
      // Made for its checks.
      const { block, target = block, swap } = new Fragment(template, (options as LiveBlockOptions).block, {}, { target: (options as LiveBlockOptions).target, swap: (options as LiveBlockOptions).swap })
      return { block, target, swap }
    } catch (cause) {
      throw new FST_CHIRP_OPTION(`option "blocks" ${where}: ${messageOf(cause)}`, { cause })
    }
  })
  const targets = placements.map(({ target }) => target)
  const twice = targets.find((target, n) => targets.indexOf(target) !== n)
  if (twice !== undefined) throw new FST_CHIRP_OPTION(`option "blocks" ${where} sends two blocks to the target "${twice}". Give each a target of its own`)
  return placements
}

function pathsBy (option: string, where: string, given: unknown): Map<string, string[]> {
  if (given === undefined) return new Map()
  // A map or a promise has no fields, and would be taken for nothing.
  if (Object.prototype.toString.call(given) !== '[object Object]') throw wrong(option, where, 'an object of lists of paths', given)
  return new Map(Object.entries(given as object).map(([name, paths]: [string, unknown]) => {
    if (!isList(paths)) throw wrong(option, where, `an object of lists of paths, and "${name}" must be a list`, paths)
    return [name, paths.map(path => canonical(option, where, path))]
  }))
}

function canonical (option: string, where: string, path: unknown): string {
  const found = canonicalPath(path)
  if (found === undefined) throw wrong(option, where, 'made of paths, such as "ticket.lines[].price"', path)
  return found
}

/**
 * The paths of a change in canonical form, each once; undefined is everything.
 *
 * @throws FST_CHIRP_OPTION for a value that is not a list of paths.
 */
export function checkPaths (where: string, paths: unknown): string[] | undefined {
  if (paths === undefined) return undefined
  if (!isList(paths)) throw new FST_CHIRP_OPTION(`${where} takes a list of paths, such as ['comments', 'ticket.title'], not ${describe(paths)}. Without a list everything has changed`)
  return [...new Set(paths.map(path => {
    const found = canonicalPath(path)
    if (found === undefined) throw new FST_CHIRP_OPTION(`${where} takes paths, such as "comments" or "ticket.lines[].price", and ${describe(path)} is none`)
    return found
  }))]
}

// A key is part of what an engine calls a topic.
const LONGEST = 512

/** @throws FST_CHIRP_OPTION for a value that is not a key. */
export function checkLiveKey (where: string, key: unknown): string {
  const text = typeof key === 'number' && Number.isSafeInteger(key) ? String(key) : key
  if (typeof text === 'string' && text !== '' && text.length <= LONGEST && text.isWellFormed()) return text
  const given = typeof text === 'string' && text.length > LONGEST ? `a string of ${text.length}` : describe(key)
  throw new FST_CHIRP_OPTION(`${where} needs a key, a string of 1 to ${LONGEST} characters or a whole number, such as the id of a ticket, not ${given}`)
}

/** @throws FST_CHIRP_OPTION for a value that is not a context. */
export function checkMade (name: string, made: unknown): FragmentContext | null {
  if (made === null || made === undefined) return null
  if (typeof made === 'object' && !isList(made) && !isOf(made, Map)) return made
  throw new FST_CHIRP_OPTION(`option "context" of app.liveView('${name}') must give an object of names and values, or null when the key does not exist, not ${describe(made)}`)
}

function wrong (option: string, where: string, wanted: string, value: unknown): Error {
  return new FST_CHIRP_OPTION(`option "${option}" ${where} must be ${wanted}, not ${describe(value)}`)
}
