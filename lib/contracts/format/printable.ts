// Names of files and texts of templates may hold characters that a terminal
// obeys: they could hide a finding, or forge one.

// Control characters, and marks that turn the direction of text.
const OBEYED = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/** A text of one line, with such characters as `\u001b`. */
export function printable (text: string): string {
  return text.replace(OBEYED, escapeCharacter)
}

/** The same for a text of several lines. */
export function printableLines (text: string): string {
  return text.replace(OBEYED, character => character === '\n' || character === '\t' ? character : escapeCharacter(character))
}

/** The same with one character for one, so that what is below stays below. */
export function printableColumns (text: string): string {
  return text.replaceAll('\t', ' ').replace(OBEYED, '\uFFFD')
}

function escapeCharacter (character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
