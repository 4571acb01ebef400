// Plain markdown, so that it can be pasted into the README.

/** A table; the first column is text, the others are numbers. */
export function table (head, rows) {
  const cells = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(' | ')} |`
  const rule = `|${widths.map((width, i) => i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** A target of the project: what, the figure (NaN when there is none), whether it will do, and how the figure reads. */
export function targetLine ({ text, value, reached, format = times }) {
  const verdict = Number.isNaN(value) ? 'not measured' : reached ? 'reached' : '**not reached**'
  return `- ${verdict}: ${text} (${format(value)})`
}

const number = (format) => (value) => Number.isNaN(value) ? '-' : format(value)

export const whole = number((value) => Math.round(value).toLocaleString('en-US'))
export const hundredths = number((value) => value.toFixed(2))
export const tenths = number((value) => value.toFixed(1))
export const times = number((value) => `${value.toFixed(2)}x`)
