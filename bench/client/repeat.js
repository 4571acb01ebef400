/** Calls `once` so many times, with so many calls under way at a time. */
export async function repeat (times, parallel, once) {
  let left = times
  async function worker () {
    while (left-- > 0) await once()
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}
