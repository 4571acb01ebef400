// Records as they travel through an engine: JSON gives them back as they are,
// and each names the version that wrote it.
import type { EventRecord, Part } from '../dialects/record.js'
import { idProblem, nameProblem, retryProblem } from '../sse/field.js'
import { describe } from '../util/describe.js'

/** The format of the records that this version of the package writes. */
const VERSION = 1

const TEXTS = ['data', 'target', 'swap', 'key'] as const

export function toStored (record: EventRecord): EventRecord {
  const { parts } = record
  const stored = { version: VERSION, ...withoutUndefined(record) }
  return parts === undefined ? stored : { ...stored, parts: parts.map(withoutUndefined) }
}

/** Says why a record of an engine cannot be sent. */
export function recordProblem (record: unknown): string | undefined {
  if (typeof record !== 'object' || record === null) return `its record must be an object, not ${describe(record)}`
  const { version, event, id, retry, parts, removes } = record as Record<string, unknown>
  if (version !== VERSION) return `its record is of version ${describe(version)}, and this package reads version ${VERSION}`
  if (parts !== undefined && (!Array.isArray(parts) || !parts.every(isPart))) return 'the parts of its record must be a list of objects with data'
  if (removes !== undefined && removes !== true) return `"removes" of its record must be true, not ${describe(removes)}`
  return textProblem(record as Record<string, unknown>) ??
    (event === undefined ? undefined : nameProblem('event', event)) ??
    (id === undefined ? undefined : typeof id === 'string' ? idProblem(id) : `the id must be a string, not ${describe(id)}`) ??
    (retry === undefined ? undefined : retryProblem(retry))
}

function withoutUndefined<T extends EventRecord | Part> (fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function isPart (part: unknown): boolean {
  return typeof part === 'object' && part !== null && typeof (part as Part).data === 'string' && textProblem(part as Record<string, unknown>) === undefined
}

function textProblem (fields: Record<string, unknown>): string | undefined {
  for (const name of TEXTS) {
    const value = fields[name]
    if (value !== undefined && typeof value !== 'string') return `the ${name} of its record must be a string, not ${describe(value)}`
  }
  // In some dialects it becomes the name of an event.
  return fields.target === undefined ? undefined : nameProblem('target', fields.target)
}
