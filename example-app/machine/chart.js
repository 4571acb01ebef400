// Readings as the `d` of an SVG path. The drawing is 600 wide, five units for
// each second, and 60 high; CSS stretches it and moves the paper.

export const WIDTH = 600
export const HEIGHT = 60

// The part of the values that the scale is made for.
const USUAL = 0.95

// A longer silence between two readings is a hole, not a line.
const HOLE = 3000

/**
 * @param {{ at: number, value: number }[]} points oldest first
 * @param {{ window: number, top: number }} scale milliseconds across, value at the upper edge
 */
export function trace (points, { window, top }) {
  const now = points.at(-1).at
  const runs = []
  let before = -Infinity
  for (const { at, value } of points) {
    if (at - before > HOLE) runs.push([])
    before = at
    const x = WIDTH - (now - at) / window * WIDTH
    const y = HEIGHT - Math.min(1, Math.max(0, value / top)) * (HEIGHT - 4) - 2
    runs.at(-1).push({ x: round(x), y: round(y) })
  }
  return {
    line: runs.map(run => 'M' + run.map(({ x, y }) => `${x},${y}`).join('L')).join(''),
    area: runs.map(run => `M${run[0].x},${HEIGHT}` + run.map(({ x, y }) => `L${x},${y}`).join('') + `V${HEIGHT}Z`).join('')
  }
}

/** The upright lines of the paper: one every ten seconds of the clock, so that they move with the trace. */
export function rules (now, window) {
  const step = 10000
  let path = ''
  // One more than fits: the paper is pulled in from the right.
  for (let at = Math.floor(now / step) * step; at > now - window; at -= step) {
    path += `M${round(WIDTH - (now - at) / window * WIDTH)},0V${HEIGHT}`
  }
  return path
}

/** The upper edge of a scale: a round number above nearly all values. A spike is cut off, and flattens nothing. */
export function topOf (values, least) {
  const sorted = values.toSorted((a, b) => a - b)
  const highest = Math.max(least, sorted[Math.floor((sorted.length - 1) * USUAL)], values.at(-1))
  const power = 10 ** Math.floor(Math.log10(highest))
  return [1, 2, 5, 10].map(step => step * power).find(top => top >= highest)
}

function round (number) {
  return Math.round(number * 10) / 10
}
