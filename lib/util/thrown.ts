// Anything can be thrown, and nothing that was thrown may throw again when it is looked at.

const UNPRINTABLE = 'something that cannot be printed was thrown'

/** The name and message of a thrown value. */
export interface Thrown { name: string, message: string, code: unknown }

/** Whether it is an Error; a revoked Proxy does not even let itself be asked. */
export function isError (thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** The message of a thrown value. */
export function messageOf (thrown: unknown): string {
  return look(thrown).message
}

/** A thrown value as an Error. */
export function toErrorObject (thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(messageOf(thrown))
}

/** The printable parts of it. */
export function look (thrown: unknown): Thrown {
  try {
    if (thrown instanceof Error) return { name: String(thrown.name), message: String(thrown.message), code: (thrown as { code?: unknown }).code }
    return { name: 'Error', message: String(thrown), code: undefined }
  } catch {
    return { name: 'Error', message: UNPRINTABLE, code: undefined }
  }
}

/** It, or an error in its place when it cannot be looked at: loggers look. */
export function toCause (thrown: unknown): unknown {
  const { message } = look(thrown)
  return message === UNPRINTABLE ? new Error(UNPRINTABLE) : thrown
}

/** Whether it says that code stopped as asked, or that a Readable closed before its end. */
export function isAbortError (error: unknown): boolean {
  try {
    const { name, code } = (error ?? {}) as { name?: unknown, code?: unknown }
    return name === 'AbortError' || code === 'ABORT_ERR' || code === 'ERR_STREAM_PREMATURE_CLOSE'
  } catch {
    return false
  }
}
