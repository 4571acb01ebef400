// Where an offset of a text is.

/** Line and column, from one. */
export interface Position { line: number, column: number }

/** The lines of one text. As in Nunjucks, a line ends with LF. */
export class Lines {
  readonly #starts = [0]

  constructor (text: string) {
    for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) this.#starts.push(index + 1)
  }

  /** The offset of a line and column from zero, as nodes of Nunjucks have them. */
  offset (line: number, column: number): number {
    return this.#starts[line] as number + column
  }

  position (offset: number): Position {
    const line = lastIndex(this.#starts, start => start <= offset)
    return { line: line + 1, column: offset - (this.#starts[line] as number) + 1 }
  }
}

/** The index of the last item for which `holds` is true, in a list where it is true up to some item; -1 without one. */
export function lastIndex<T> (sorted: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle] as T)) low = middle + 1
    else high = middle
  }
  return low - 1
}
