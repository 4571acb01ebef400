// Loads the shared wire and parser cases; {"$js": "..."} holds what JSON cannot.
import { readFileSync } from 'node:fs'

export function loadCases (name) {
  const text = readFileSync(new URL(`../fixtures/cases/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text, (key, value) => {
    // eslint-disable-next-line no-new-func
    if (value !== null && typeof value === 'object' && '$js' in value) return { revived: new Function(`return (${value.$js})`)() }
    return value
  }).map(revive)
}

// JSON.parse drops what a reviver returns as undefined, so values come boxed.
function revive (value) {
  if (Array.isArray(value)) return value.map(revive)
  if (value === null || typeof value !== 'object') return value
  if ('revived' in value) return value.revived
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revive(entry)]))
}
