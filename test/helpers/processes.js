// Apps in processes of their own, over one Redis, and a client of theirs that comes back to any of them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createParser } from 'eventsource-parser'
import { quiet } from './app.js'

const SCRIPT = fileURLToPath(new URL('redis-app.js', import.meta.url))

export class AppProcess {
  port
  #options
  #child
  #calls = new Map()
  #count = 0

  constructor (t, options) {
    this.#options = options
    t.teardown(() => this.kill())
  }

  async start () {
    const child = this.#child = fork(SCRIPT, [JSON.stringify(this.#options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
    child.on('message', ({ id, result, error }) => {
      if (id === undefined) return
      const { resolve, reject } = this.#calls.get(id)
      this.#calls.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    child.once('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('the process has ended'))
      this.#calls.clear()
    })
    const [{ port }] = await once(child, 'message')
    this.port = port
    return this
  }

  call (name, ...args) {
    return new Promise((resolve, reject) => {
      const id = ++this.#count
      this.#calls.set(id, { resolve, reject })
      this.#child.send({ id, name, args }, error => { if (error) reject(error) })
    })
  }

  signal (signal) {
    this.#child.kill(signal)
  }

  async kill () {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
}

export async function startApps (t, count, options) {
  return await Promise.all(Array.from({ length: count }, () => new AppProcess(t, options).start()))
}

/** Reads the stream of one of the apps, and goes on at another one when that ends. */
export class Wanderer {
  /** What came: ids, in order, and `undefined` for each gap. */
  seen = []
  data = []
  #apps
  #lastEventId = ''
  #controller = new AbortController()

  constructor (apps) {
    this.#apps = apps
  }

  /** Resolves when it was told to stop. */
  async run () {
    while (!this.#controller.signal.aborted) {
      const { port } = this.#apps[Math.floor(Math.random() * this.#apps.length)]
      try {
        await this.#read(port)
      } catch {}
      await quiet(20)
    }
  }

  stop () {
    this.#controller.abort()
  }

  get isLive () {
    return this.#lastEventId !== ''
  }

  async #read (port) {
    const { signal } = this.#controller
    const headers = { accept: 'text/event-stream', ...(this.#lastEventId !== '' && { 'last-event-id': this.#lastEventId }) }
    const response = await fetch(`http://127.0.0.1:${port}/a`, { headers, signal })
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        if (event === 'chirp:gap') this.seen.push(undefined)
        else if (event === undefined) {
          this.seen.push(id)
          this.data.push(data)
        }
      }
    })
    // The id of a frame without data is a cursor too.
    let rest = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      parser.feed(text)
      const frames = (rest + text).split('\n\n')
      rest = frames.pop()
      for (const frame of frames) for (const [, id] of frame.matchAll(/^id: (.*)$/gm)) this.#lastEventId = id
    }
  }
}
