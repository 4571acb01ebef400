// Runs the app in a process of its own and waits for the report.
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Answer, Question } from './child.js'

/** The app could not be checked; the message says why. */
export class CheckError extends Error {}

/** Milliseconds between the report and the end of the process, by force if need be. */
const ENDING = 5000

/**
 * The report of an app. What the app prints goes to stderr, because stdout is
 * for the report.
 *
 * @throws CheckError
 */
export async function askApp (question: Omit<Question, 'key'>, timeout: number): Promise<Extract<Answer, { report: unknown }>['report']> {
  // The app may send messages too, such as 'ready' for PM2.
  const key = randomUUID()
  const child = fork(fileURLToPath(new URL('child.js', import.meta.url)), [JSON.stringify({ ...question, key })], { stdio: ['ignore', 2, 2, 'ipc'] })
  let answer: Answer | undefined
  let isLate = false
  const kill = (): void => { child.kill('SIGKILL') }
  let timer = setTimeout(() => {
    isLate = true
    kill()
  }, timeout)
  child.on('message', message => {
    const { key: given, ...rest } = Object(message) as { key?: unknown }
    if (given !== key) return
    answer = rest as Answer
    clearTimeout(timer)
    timer = setTimeout(kill, ENDING)
  })
  const code = await new Promise<number | null>(resolve => { child.once('exit', resolve) })
  clearTimeout(timer)
  if (answer === undefined) throw new CheckError(explain(question.file, isLate ? timeout : undefined, code))
  if ('problem' in answer) throw new CheckError(`${question.file} cannot be checked: ${answer.problem}`)
  return answer.report
}

function explain (file: string, timeout: number | undefined, code: number | null): string {
  if (timeout !== undefined) return `${file} did not make an app within ${timeout / 1000} s. Export the app, or a function that builds it, or give it more time with --timeout SECONDS`
  if (code === 0 || code === 13) return `${file} exports no Fastify app, and started none. Export the app, or a function that builds it, or name the export with --export`
  return `${file} ended its process${code === null ? '' : ` with exit code ${code}`} before it could be checked. Its output is above`
}
