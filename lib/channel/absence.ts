// A member without an open stream. One that returns within the grace counts as never gone.

/** A member that is about to leave. */
export interface Absent {
  /** Runs while the member has no open stream. */
  leaving?: NodeJS.Timeout | undefined
}

/** Calls `leave` after so many milliseconds, unless the member is back by then. */
export function leaveAfter (grace: number, member: Absent, leave: () => void): void {
  // A returning client may have waited for a busy loop: connections are handled before the immediate.
  const leaving = setTimeout(() => setImmediate(() => { if (member.leaving === leaving) leave() }), grace).unref()
  member.leaving = leaving
}

/** The member is back, or the absence no longer matters. */
export function stay (member: Absent): void {
  clearTimeout(member.leaving)
  member.leaving = undefined
}
