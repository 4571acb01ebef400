// What a developer sees in place of a block that could not be rendered.
import { escapeHtml } from './escape.js'

/** The box for `error`, which took the place of `block`. Only for debug: it tells what failed. */
export function errorBox (block: string, error: unknown): string {
  // Our own errors say where it happened; the cause says what happened.
  const cause = (error as Error).cause ?? error
  const { name, message, code } = toError(cause)
  const title = name === 'FastifyError' ? code : name
  return `<div class="chirp-block-error" data-block="${escapeHtml(block)}"><strong>${escapeHtml(String(title))}</strong>: ${escapeHtml(message)}</div>`
}

/** The message of whatever was thrown. */
export function messageOf (error: unknown): string {
  return toError(error).message
}

/** Whatever was thrown as an Error. */
export function toErrorObject (thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A revoked Proxy does not even let itself be asked.
  }
  return new Error(messageOf(thrown))
}

// Anything can be thrown, and nothing that is thrown may throw again here.
function toError (thrown: unknown): { name: string, message: string, code: unknown } {
  try {
    if (thrown instanceof Error) return { name: String(thrown.name), message: String(thrown.message), code: (thrown as { code?: unknown }).code }
    return { name: 'Error', message: String(thrown), code: undefined }
  } catch {
    return { name: 'Error', message: 'something that cannot be printed was thrown', code: undefined }
  }
}
