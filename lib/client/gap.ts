// The fields of a gap, and whether this page was loaded because of one.

/** The JSON of `chirp:gap`, as far as it matters here. */
export interface Gap {
  /** The page was made because of a gap, and has one again. */
  again?: unknown
  /** Milliseconds over which the clients that have the gap now come back. */
  spread?: unknown
}

/** A gap with other data is a gap too. */
export function readGap (data?: string): Gap {
  try {
    return Object(JSON.parse(data!))
  } catch {
    return {}
  }
}

/** Milliseconds until the page may be asked for, at random. */
export function delayOf ({ spread }: Gap): number {
  return Math.random() * (+(spread as number) || 500)
}

/** Whether the page was reloaded less than ten seconds ago, as a script of its own does for a gap. */
export function isReloaded (): boolean {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  return navigation?.type === 'reload' && performance.now() < 10000
}
