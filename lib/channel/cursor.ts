// The one id of a stream of several channels: their positions, joined.
// Characters that need no CORS preflight in a Last-Event-ID header, and short:
// positions of one engine share their epoch, which is written once.
export const SEPARATOR = '~'

/** Joins positions; one that is not known yet is empty. */
export function composeCursor (positions: readonly string[]): string {
  let epoch = ''
  return positions.map(position => {
    const dash = position.lastIndexOf('-')
    const own = position.slice(0, dash + 1)
    if (own !== '' && own === epoch) return position.slice(dash + 1)
    if (own !== '') epoch = own
    return position
  }).join(SEPARATOR)
}

/** Takes a cursor of `count` positions apart. One that is not ours becomes what is no position of any, so that each tells of its gap. */
export function parseCursor (cursor: string, count: number): string[] {
  if (cursor === '') return Array<string>(count).fill('')
  const parts = cursor.split(SEPARATOR)
  if (parts.length !== count) return Array<string>(count).fill(SEPARATOR)
  let epoch = ''
  return parts.map(part => {
    const dash = part.lastIndexOf('-')
    if (dash === -1) return part === '' ? '' : epoch + part
    epoch = part.slice(0, dash + 1)
    return part
  })
}
