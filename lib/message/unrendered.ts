// Fragments that are rendered for each viewer: the plain data that is kept until then.
import type { EventRecord, Unrendered } from '../dialects/record.js'
import { FST_CHIRP_VALUE } from '../errors.js'
import { plainJSON } from '../sse/plain.js'
import { isOf } from '../util/kind.js'
import { messageOf } from '../util/thrown.js'
import { messageKey } from './compose.js'
import { Fragment } from './fragment.js'
import { Fragments } from './fragments.js'

/**
 * The record of a value that has something to render; undefined for all else.
 *
 * @throws FST_CHIRP_VALUE for a context that is not plain data.
 */
export function toUnrendered (value: unknown): EventRecord | undefined {
  if (isOf(value, Fragment)) {
    const { target, id, retry, swap } = value
    return { target, id, retry, swap, fragment: store(value) }
  }
  if (!isOf(value, Fragments)) return undefined
  const { fragments, id, retry } = value
  return { id, retry, key: messageKey(value), fragments: fragments.map(fragment => ({ ...store(fragment), target: fragment.target, swap: fragment.swap })) }
}

export function isUnrendered ({ fragment, fragments }: EventRecord): boolean {
  return (fragment ?? fragments) !== undefined
}

/** All that there is to render in a record that has not been rendered. */
export function unrenderedOf ({ fragment, fragments }: EventRecord): readonly Unrendered[] {
  return fragments ?? [fragment!]
}

/**
 * The value to render for a viewer, with `viewer` as its JSON. Id and retry stay with the record.
 *
 * @throws whatever says that a record of another process cannot be rendered.
 */
export function toValue ({ target, swap, fragment, fragments }: EventRecord, viewer: string | undefined): Fragment | Fragments {
  return fragments === undefined ? restore({ ...fragment!, target, swap }, viewer) : new Fragments(fragments.map(fragment => restore(fragment, viewer)))
}

function store ({ template, block, context }: Fragment): Unrendered {
  try {
    return { template, block, context: plainJSON(context) }
  } catch (cause) {
    throw new FST_CHIRP_VALUE(`a channel with viewers keeps the context of block "${block}" of "${template}" as plain data, and ${messageOf(cause)}`, { cause })
  }
}

// Parsed for each render: a template may change its context. The viewer comes last, so no context can have another one.
function restore ({ template, block, context, target, swap }: Unrendered, viewer: string | undefined): Fragment {
  return new Fragment(template, block, { ...JSON.parse(context), viewer: viewer === undefined ? undefined : JSON.parse(viewer) }, { target, swap })
}
