// Plain data: what JSON gives back as it is, in this process or another one.
import { describe } from '../util/describe.js'
import { messageOf } from '../util/thrown.js'
import { isBytes, problemOf } from './json.js'

/**
 * The JSON of a value that loses nothing by it. What has a form of its own in
 * JSON, such as a Date, is that form; undefined fields are left out.
 *
 * @throws TypeError that names what would be lost, and says what to do instead.
 */
export function plainJSON (value: unknown): string {
  let problem: string | undefined
  let json: string | undefined
  try {
    json = JSON.stringify(value, function (this: Record<string, unknown>, key: string, value: unknown) {
      const loss = lossOf(this, key, value)
      problem ??= loss
      return value
    })
  } catch (cause) {
    throw new TypeError(`JSON.stringify refused it (${messageOf(cause)}). Give what JSON can hold`, { cause })
  }
  if (problem !== undefined) throw new TypeError(problem)
  if (json === undefined) throw new TypeError(`JSON has no form for ${describe(value)}`)
  return json
}

/** The same text for all values that are equal as JSON: names are in order. */
export function canonicalJSON (value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join()}]`
  const fields = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1)
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${canonicalJSON(value)}`).join()}}`
}

function lossOf (holder: Record<string, unknown>, key: string, value: unknown): string | undefined {
  const where = key === '' ? '' : ` in ${JSON.stringify(key)}`
  switch (typeof value) {
    case 'function': case 'symbol': return `a ${typeof value}${where} would be left out. Give what it stands for`
    case 'number': return Number.isFinite(value) ? undefined : `${value}${where} would become null. Give a number, or null`
    case 'undefined': return Array.isArray(holder) ? `undefined${where} of a list would become null. Give null, or leave it out` : undefined
    case 'object': return isBytes(Object(holder[key])) ? `bytes${where} are not text. Give value.toString('base64'), or decode them first` : problemOf(key, value)
  }
}
