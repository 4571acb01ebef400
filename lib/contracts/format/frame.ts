// The lines around a finding, with a mark under its place.
import { readFileSync } from 'node:fs'
import { printableColumns } from './printable.js'

const AROUND = 1
/** Wider lines are cut, so that a minified line does not fill the screen. */
const WIDTH = 120

/** Empty when there is no such line. */
export function codeFrame (lines: readonly string[], line: number, column: number | undefined): string[] {
  if (line > lines.length) return []
  const first = Math.max(1, line - AROUND)
  const last = Math.min(lines.length, line + AROUND)
  const margin = String(last).length
  // All lines are moved to the left alike, or the mark would be off.
  const start = Math.max(0, (column ?? 1) - WIDTH + 20)
  return lines.slice(first - 1, last).flatMap((text, index) => {
    const number = first + index
    const shown = printableColumns(text.slice(start, start + WIDTH))
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(margin)} | ${shown}`.trimEnd()
    return number === line && column !== undefined ? [row, `  ${' '.repeat(margin)} | ${' '.repeat(column - 1 - start)}^`] : [row]
  })
}

/** The lines of a file; none when it is gone. */
export function linesOf (file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r\n|\r|\n/)
  } catch {
    // Edited or removed since: the finding stands without it.
    return []
  }
}
