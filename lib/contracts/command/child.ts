// The process that the app runs in. It may print, listen and hang as it likes:
// the command gets the report by a channel of its own, and ends the process.
import { Server } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ContractOptions } from '../options.js'
import { kFound, type Registration } from '../registration.js'
import type { ContractReport } from '../types.js'
import { loadApp, LoadError } from './load.js'

/** The question of the command. */
export interface Question {
  file: string
  exportName: string | undefined
  options: ContractOptions & { sources: string[] }
  /** Marks the answer. */
  key: string
}

/** The answer. */
export type Answer = { report: ContractReport } | { problem: string }

/** Milliseconds that the app gets to close. */
const CLOSING = 3000

const found: Registration[] = []

async function answer ({ file, exportName, options }: Question): Promise<FastifyInstance | undefined> {
  let app
  try {
    const path = resolve(file)
    app = await loadApp(path, exportName)
    await app?.ready()
    const registration = await findRegistration(app)
    app ??= registration.app
    const registered = registration.siblings.flatMap(({ options }) => options?.sources ?? [])
    const report = await registration.check({ ...options, sources: [path, ...registered, ...options.sources] })
    await tell({ report })
  } catch (error) {
    await tell({ problem: explain(error) })
  }
  return app
}

async function findRegistration (app: FastifyInstance | undefined): Promise<Registration> {
  if (app !== undefined) {
    const registration = found.find(registration => registration.app.server === app.server)
    if (registration === undefined) throw new LoadError('the app does not register fastify-chirp, so there is nothing to check. Register it, or name another export with --export')
    return registration
  }
  // The module starts an app by itself, perhaps later. This keeps nothing alive: when nothing else does, the process ends.
  while (found.length === 0) await setTimeout(10, undefined, { ref: false })
  const [registration] = found as [Registration]
  if (found.some(({ app }) => app.server !== registration.app.server)) throw new LoadError('it starts several apps. Export the one to check, and name it with --export')
  return registration
}

function tell (answer: Answer): Promise<void> {
  return new Promise(resolve => { send.call(process, { ...answer, key: question.key }, () => resolve()) })
}

function explain (error: unknown): string {
  const { stack, code, message } = Object(error) as { stack?: string, code?: string, message?: string }
  // Errors of the command itself need no stack.
  if (error instanceof LoadError || code === 'FST_CHIRP_OPTION') return String(message)
  const text = stack ?? String(error)
  return code === 'ERR_UNKNOWN_FILE_EXTENSION' ? `${text}\nNode.js ${process.version} does not run this file as it is. Check its compiled form, or set NODE_OPTIONS to the options that you run it with, such as "--import tsx"` : text
}

// The app that is being developed may listen on the port already.
function listenAnywhere (): void {
  const { listen } = Server.prototype
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    return Reflect.apply(listen, this, [{ port: 0, host: '127.0.0.1' }, ...args.filter(argument => typeof argument === 'function')])
  }
}

const question = JSON.parse(process.argv[2] as string) as Question
// The app may read its arguments too, and replace process.send().
const send = process.send as NonNullable<typeof process.send>
process.argv.length = 2
Object.assign(globalThis, { [kFound]: found })
listenAnywhere()
process.channel?.unref()
// An app that ends the connection to its parent process would end this channel. Node.js
// calls this too when the other side is gone, and then nothing can be sent.
process.disconnect = () => { send.call(process, null, error => { if (error !== null) process.exit() }) }
// Not awaited here: when nothing keeps the process alive there is no app, and Node.js would complain of this file.
run()

async function run (): Promise<void> {
  const app = await answer(question)
  await Promise.race([app?.close().catch(() => {}), setTimeout(CLOSING)])
  process.exit()
}
