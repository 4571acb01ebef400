// The lines around a finding, with a mark under its place.
import { readFileSync } from 'node:fs'

const AROUND = 1
/** Wider lines are cut, so that a minified line does not fill the screen. */
const WIDTH = 120

/** Empty when the file is gone or has no such line. */
export function codeFrame (file: string, line: number, column: number | undefined): string[] {
  const lines = linesOf(file)
  if (line > lines.length) return []
  const first = Math.max(1, line - AROUND)
  const last = Math.min(lines.length, line + AROUND)
  const margin = String(last).length
  // All lines are moved to the left alike, or the mark would be off.
  const start = Math.max(0, (column ?? 1) - WIDTH + 20)
  return lines.slice(first - 1, last).flatMap((text, index) => {
    const number = first + index
    const shown = text.slice(start, start + WIDTH).replaceAll('\t', ' ')
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(margin)} | ${shown}`.trimEnd()
    return number === line && column !== undefined ? [row, `  ${' '.repeat(margin)} | ${' '.repeat(column - 1 - start)}^`] : [row]
  })
}

function linesOf (file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r\n|\r|\n/)
  } catch {
    // Edited or removed since: the finding stands without it.
    return []
  }
}
