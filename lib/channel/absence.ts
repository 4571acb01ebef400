// A member of whom nothing is here any more, who may come back within a grace and then never left.

/** A member who may be about to leave. */
export interface Absent {
  /** Runs while nothing of the member is here any more. */
  leaving?: NodeJS.Timeout | undefined
}

/** Calls `leave` after so many milliseconds, unless the member is back by then. */
export function leaveAfter (grace: number, member: Absent, leave: () => void): void {
  // Who is back may have waited for a busy loop: connections are heard before the immediate.
  const leaving = setTimeout(() => setImmediate(() => { if (member.leaving === leaving) leave() }), grace).unref()
  member.leaving = leaving
}

/** The member is back, or nobody waits for that any more. */
export function stay (member: Absent): void {
  clearTimeout(member.leaving)
  member.leaving = undefined
}
