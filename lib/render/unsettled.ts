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

const states = new WeakMap<object, Missing>()

/** Stands for a value that is not there. All that looks into it gets a {@link NotThereError}. */
export function missingValue (variable: string, state: Missing, cause?: unknown): object {
  const refuse = (): never => { throw new NotThereError(variable, state, cause) }
  const value = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse })
  states.set(value, state)
  return value
}

/** The state of what {@link missingValue} made; undefined for a value that is there. */
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
