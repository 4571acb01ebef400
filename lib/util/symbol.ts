// Finds a symbol that nobody exports.

/** The symbol with which an object keeps something, by its description. */
export function symbolOf (target: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(target).find(symbol => symbol.description === description)
}
