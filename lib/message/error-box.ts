// The box that a developer sees in place of a block that could not be rendered.
import { escapeHtml } from '../util/escape.js'
import { look } from '../util/thrown.js'
import { placeOf, placeText } from './place.js'

/** The box for `error`, which took the place of `block`. Only for debug: it tells what failed. */
export function errorBox (block: string, error: unknown): string {
  const { title, message } = summary(error)
  const box = `<div class="chirp-block-error" data-block="${escapeHtml(block)}"><strong>${escapeHtml(title)}</strong>: ${escapeHtml(message)}</div>`
  const place = placeOf(error)
  // Behind the box, whose form is fixed.
  return place === undefined ? box : `${box}\n<small class="chirp-block-error-place">${escapeHtml(placeText(place))}</small>`
}

/** The error, without its place. */
export function summary (error: unknown): { title: string, message: string } {
  // Our own errors say where it happened; the cause says what happened.
  const { name, message, code } = look((error as Error).cause ?? error)
  return { title: name === 'FastifyError' && typeof code === 'string' ? code : name, message }
}
