// The place of a failure in a template, for error pages and log lines.

/** A place; a template of which only the name is known has no line. */
export interface Place { template: string, line: number | undefined, column: number | undefined }

// Where the errors for callers happened.
export const places = new WeakMap<object, Place>()

/** Where an error that a renderer gave happened; undefined for all others. */
export function placeOf (error: unknown): Place | undefined {
  // A thrown value of any kind can be read this way.
  return places.get(error as object)
}

export function placeText ({ template, line, column }: Place): string {
  return line === undefined ? template : `${template}, line ${line}, column ${column}`
}
