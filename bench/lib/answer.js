// The child's side of lib/child.js.

/** Answers the parent's questions with `methods`, after telling it `info`. */
export function answer (methods, info) {
  if (process.send === undefined) {
    // Started by hand, to look at a contestant with curl.
    console.log(info)
    return
  }
  process.on('message', async ({ id, method, args }) => {
    try {
      process.send({ id, result: await methods[method](args) })
    } catch (error) {
      process.send({ id, error: error.message })
    }
  })
  // Without a parent there is nobody left to end this process.
  process.on('disconnect', () => process.exit())
  process.send({ id: 0, result: info }, (error) => error && process.exit())
}
