// Limits of size. Files written by hand stay far below them: the
// limits keep one file from stopping the check of all others.

/** The deepest nesting of statements and expressions. */
export const MOST_NESTED = 200
/** Of a longer text only the beginning is known. No server takes a longer address. */
export const LONGEST_TEXT = 4096
/** Of one tag. */
export const MOST_ATTRIBUTES = 1000
/** Of what a block or an include puts into one tag, in characters: blocks in each other are read once for each. */
export const LONGEST_IN_TAG = 20_000
/** Texts that one expression can come to. */
export const MOST_TEXTS = 1000
/** Texts with holes times those that begin like them: more are not compared, and nothing is said about them. */
export const MOST_COMPARISONS = 200_000

/** Something is larger than what is read; the message says what. */
export class TooLarge extends Error {
  /** Where it is in its text, if that is known. */
  readonly offset: number | undefined

  constructor (message: string, offset?: number) {
    super(message)
    this.offset = offset
  }
}

/** The message for an error of a parser: its own, unless the stack was too small for it. */
export function explainFailure (error: unknown): string {
  return error instanceof RangeError ? 'it is nested too deeply to be read. Split it' : (error as Error).message
}
