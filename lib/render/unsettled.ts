// The stand-in for a value that is not there: templates can ask it for its
// state, and nothing else.

/** Why a value is not there. */
export type Missing = 'pending' | 'failed'

/** The error when a template uses a value that is not there. */
export class NotThereError extends Error {
  /** The variable. */
  readonly variable: string
  readonly state: Missing

  constructor (variable: string, state: Missing, cause?: unknown) {
    super(state === 'pending' ? `"${variable}" is pending` : `"${variable}" is failed`, { cause })
    this.variable = variable
    this.state = state
  }
}

interface Target {
  variable: string
  state: Missing
  cause: unknown
}

const refuse = ({ variable, state, cause }: Target): never => { throw new NotThereError(variable, state, cause) }
const REFUSING: ProxyHandler<Target> = { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse }

const states = new WeakMap<object, Missing>()
// All are alike, so each page has the same one.
const pending = new Map<string, object>()
const MOST_PENDING = 1000

/** Stands for a value that is pending. All that looks into it gets a {@link NotThereError}. */
export function pendingValue (variable: string): object {
  let value = pending.get(variable)
  if (value === undefined) {
    value = missingValue({ variable, state: 'pending', cause: undefined })
    if (pending.size < MOST_PENDING) pending.set(variable, value)
  }
  return value
}

/** The same for one that has failed. */
export function failedValue (variable: string, cause: unknown): object {
  return missingValue({ variable, state: 'failed', cause })
}

function missingValue (target: Target): object {
  const value = new Proxy(target, REFUSING)
  states.set(value, target.state)
  return value
}

/** The state of what {@link pendingValue} or {@link failedValue} made; undefined for a value that is there. */
export function missingState (value: unknown): Missing | undefined {
  return typeof value === 'object' && value !== null ? states.get(value) : undefined
}

/** The use of a missing value that an error comes from. */
export function notThereIn (error: unknown): NotThereError | undefined {
  let cause: unknown = error
  // Ours have few causes, those of others may go round in a circle.
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    if (cause instanceof NotThereError) return cause
    cause = cause.cause
  }
}
