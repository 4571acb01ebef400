// Time from one process to another on the same machine.

/** Milliseconds on a clock that all processes share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

/** What so many percent of the values do not exceed. */
export function percentile (values, percent) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * percent / 100) - 1)] ?? NaN
}
