// Times a function in this process, for what needs no server.

/** Nanoseconds per call of `fn`, which must return a length, over about `ms` milliseconds. */
export function timeCalls (fn, ms) {
  for (let calls = 1; ;) {
    let sum = 0
    const from = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) sum += fn()
    const took = Number(process.hrtime.bigint() - from)
    // The result is used, or the compiler could leave out the work.
    if (sum <= 0) throw new Error('nothing was made')
    if (took >= ms * 5e5) return took / calls
    calls = Math.ceil(calls * Math.min(10, ms * 1e6 / Math.max(took, 1)))
  }
}
