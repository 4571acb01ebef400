// Records as they travel through an engine: JSON gives them back as they are,
// and each names the version that wrote it.
import type { EventRecord, Part, Unrendered } from '../dialects/record.js'
import { isUnrendered } from '../message/unrendered.js'
import { idProblem, nameProblem, retryProblem } from '../sse/field.js'
import { describe } from '../util/describe.js'

// The format of a record: a process that does not know it must not send what it knows of it.
const RENDERED = 1
const UNRENDERED = 2

const END_STATES: readonly unknown[] = ['ended', 'failed', 'stopped']

const TEXTS = ['data', 'target', 'swap', 'key'] as const

export function toStored (record: EventRecord): EventRecord {
  const { parts, fragments } = record
  const stored = { version: versionOf(record), ...withoutUndefined(record) }
  if (fragments !== undefined) return { ...stored, fragments: fragments.map(withoutUndefined) }
  return parts === undefined ? stored : { ...stored, parts: parts.map(withoutUndefined) }
}

/** Says why a record of an engine cannot be sent. */
export function recordProblem (record: unknown): string | undefined {
  if (typeof record !== 'object' || record === null) return `its record must be an object, not ${describe(record)}`
  const { version, event, id, retry, parts, removes, end, fragment, fragments } = record as Record<string, unknown>
  const known = versionOf(record)
  if (version !== known) return `its record is of version ${describe(version)}, and this package reads version ${known}`
  if (fragment !== undefined && !isUnrenderedPart(fragment)) return 'the fragment of its record must be an object with template, block and context'
  if (fragments !== undefined && (!isFullList(fragments) || !fragments.every(isUnrenderedPart))) {
    return 'the fragments of its record must be a list of objects with template, block and context'
  }
  if (parts !== undefined && (!Array.isArray(parts) || !parts.every(isPart))) return 'the parts of its record must be a list of objects with data'
  if (removes !== undefined && removes !== true) return `"removes" of its record must be true, not ${describe(removes)}`
  return textProblem(record as Record<string, unknown>) ??
    (end === undefined || isEnd(end) ? undefined : 'the end of its record must be an object with a state') ??
    (event === undefined ? undefined : nameProblem('event', event)) ??
    (id === undefined ? undefined : typeof id === 'string' ? idProblem(id) : `the id must be a string, not ${describe(id)}`) ??
    (retry === undefined ? undefined : retryProblem(retry))
}

function versionOf (record: EventRecord): number {
  return isUnrendered(record) ? UNRENDERED : RENDERED
}

function withoutUndefined<T extends EventRecord | Part | Unrendered> (fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function isPart (part: unknown): boolean {
  return typeof part === 'object' && part !== null && typeof (part as Part).data === 'string' && textProblem(part as Record<string, unknown>) === undefined
}

function isEnd (end: unknown): boolean {
  if (typeof end !== 'object' || end === null) return false
  const { state, message } = end as Record<string, unknown>
  return END_STATES.includes(state) && (message === undefined || typeof message === 'string')
}

function isFullList (value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0
}

function isUnrenderedPart (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { template, block, context } = value as Record<string, unknown>
  return isName(template) && isName(block) && typeof context === 'string' && textProblem(value as Record<string, unknown>) === undefined
}

// Whether there is such a template, and whether it may be rendered, is for the render to say.
function isName (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function textProblem (fields: Record<string, unknown>): string | undefined {
  for (const name of TEXTS) {
    const value = fields[name]
    if (value !== undefined && typeof value !== 'string') return `the ${name} of its record must be a string, not ${describe(value)}`
  }
  // In some dialects it becomes the name of an event.
  return fields.target === undefined ? undefined : nameProblem('target', fields.target)
}
