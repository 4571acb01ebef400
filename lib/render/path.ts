// Paths into the context of a template: `tasks`, `ticket.lines[].price`, and
// `*` for all of it. `[]` is any member, of a list or of an object.

/** The steps of a path from the context on. None is `*`. */
export type Steps = readonly string[]

/** The step to any member. */
export const MEMBER = '[]'
/** The path of all that there is. */
export const EVERYTHING = '*'

const NAME = /^[^\s.[\]*"']+$/
const NUMBER = /^\d+$/
const PARTS = /\.?([^.[\]]+)|\[(\d*)\]/y

/** The step for a key as templates and programs have it: what cannot be written as a name is any member. */
export function stepOf (key: unknown): string {
  const text = typeof key === 'string' ? key : ''
  return NAME.test(text) && !NUMBER.test(text) ? text : MEMBER
}

/** The steps of a path, or undefined for what is none. `tasks[3].title` and `tasks.3.title` are `tasks[].title`. */
export function parsePath (path: unknown): Steps | undefined {
  if (typeof path !== 'string' || path === '') return undefined
  if (path === EVERYTHING) return []
  const steps: string[] = []
  PARTS.lastIndex = 0
  while (PARTS.lastIndex < path.length) {
    const isFirst = PARTS.lastIndex === 0
    const part = PARTS.exec(path)
    if (part === null) return undefined
    const [text, name] = part
    if (name === undefined ? isFirst : !NAME.test(name) || isFirst !== !text.startsWith('.')) return undefined
    const step = stepOf(name)
    if (isFirst && step === MEMBER) return undefined
    steps.push(step)
  }
  return steps
}

/** The canonical form. */
export function formatPath (steps: Steps): string {
  if (steps.length < 2) return steps[0] ?? EVERYTHING
  return steps.map((step, index) => step === MEMBER || index === 0 ? step : `.${step}`).join('')
}

/** The canonical form of a path, or undefined for what is none. */
export function canonicalPath (path: unknown): string | undefined {
  const steps = parsePath(path)
  return steps && formatPath(steps)
}

/** Whether a change at one path may change what is at the other: one is, or is in, the other. A text that is not a path meets all. */
export function meets (change: Steps | string, read: Steps | string): boolean {
  const [a, b] = [stepsOf(change), stepsOf(read)]
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index++) {
    if (a[index] !== b[index] && a[index] !== MEMBER && b[index] !== MEMBER) return false
  }
  return true
}

/** Whether all that is at `path` is in what is at `outer`. */
export function covers (outer: Steps | string, path: Steps | string): boolean {
  const [a, b] = [stepsOf(outer), stepsOf(path)]
  return a.length <= b.length && a.every((step, index) => step === MEMBER || step === b[index])
}

function stepsOf (path: Steps | string): Steps {
  return typeof path === 'string' ? parsePath(path) ?? [] : path
}
