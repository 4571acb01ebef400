// Finds a symbol that is not exported.

/** The symbol with which an object, or what it inherits from, keeps something, by its description. */
export function symbolOf (target: object, description: string): symbol | undefined {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertySymbols(at).find(symbol => symbol.description === description)
    if (found !== undefined) return found
  }
  return undefined
}
