// The parent's side of a child process: start it, ask it things, stop it.
// Only processes that were started here are ever ended.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// A machine under load takes its time.
const START_TIMEOUT = 60_000
const ASK_TIMEOUT = 60_000

const running = new Set()

/**
 * Starts a file of bench/ in its own process and waits until it says that it
 * is ready. `info` is what it said.
 */
export async function start (file) {
  const child = new Child(fileURLToPath(new URL(`../${file}`, import.meta.url)))
  running.add(child)
  child.info = await child.ready
  return child
}

/** Ends every process that is still running, for a normal end, an error and Ctrl-C. */
export function stopAll () {
  for (const child of running) child.stop()
}

class Child {
  #process
  #asked = new Map()
  #lastId = 0

  constructor (path) {
    this.#process = fork(path, { execArgv: ['--expose-gc'] })
    this.exited = new Promise((resolve) => this.#process.once('exit', resolve))
    this.ready = this.#expect(0, START_TIMEOUT, `${path} did not start`)
    this.#process.on('message', ({ id, result, error }) => this.#settle(id, error, result))
    this.exited.then((code) => {
      running.delete(this)
      for (const id of this.#asked.keys()) this.#settle(id, `${path} ended early (${code})`)
    })
  }

  /** Calls one of the methods that the child gave to answer(). */
  ask (method, args) {
    const id = ++this.#lastId
    const answer = this.#expect(id, ASK_TIMEOUT, `no answer to ${method}`)
    this.#process.send({ id, method, args }, (error) => error && this.#settle(id, error.message))
    return answer
  }

  stop () {
    this.#process.kill('SIGKILL')
    return this.exited
  }

  #expect (id, timeout, complaint) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, `${complaint} within ${timeout / 1000} s`), timeout)
      this.#asked.set(id, { resolve, reject, timer })
    })
  }

  #settle (id, error, result) {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    this.#asked.delete(id)
    clearTimeout(asked.timer)
    if (error === undefined) asked.resolve(result)
    else asked.reject(new Error(error))
  }
}
