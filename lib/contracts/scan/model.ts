// All that the rules look at, made from a snapshot.
import type { Snapshot } from '../types.js'

export interface BrokenTemplate { name: string, message: string, line: number | undefined, column: number | undefined }

/** All that the rules look at. */
export interface Model {
  snapshot: Snapshot
  broken: BrokenTemplate[]
}

/** Parses each template once. */
export async function buildModel (snapshot: Snapshot, pause: () => Promise<void>): Promise<Model> {
  const broken: BrokenTemplate[] = []
  for (const { name, source } of snapshot.templates) {
    try {
      snapshot.parse(source)
    } catch (error) {
      const { message, lineno, colno } = error as Error & { lineno?: number, colno?: number }
      broken.push({ name, message, line: lineno, column: colno })
    }
    await pause()
  }
  return { snapshot, broken }
}
