// Asks what a value is. A Proxy can answer each such question by throwing, and
// is then nothing of what was asked for.

/** Whether it was made by `type`. */
export function isOf<T> (value: unknown, type: abstract new (...values: never[]) => T): value is T {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

export function isList (value: unknown): value is unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

export function hasMethod (value: object, name: PropertyKey): boolean {
  try {
    return typeof (value as Record<PropertyKey, unknown>)[name] === 'function'
  } catch {
    return false
  }
}

/** Whether it is a signal, and not only of its class. */
export function isSignal (value: unknown): value is AbortSignal {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean'
  } catch {
    return false
  }
}
