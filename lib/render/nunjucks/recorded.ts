// Tells the recorder of a context which variables templates ask for.
import { RECORDER, type Recorder } from '../recording.js'
import type { Callback, Context } from './internals.js'

interface Variables extends Context {
  ctx: Record<string, unknown>
  lookup (name: string): unknown
  setVariable (name: string, value: unknown): void
}

/** The data that travels with the variables, also to included templates. */
interface Recorded {
  recorder: Recorder
  /** The variables that templates have set themselves. */
  own: ReadonlySet<string>
}

// The names that Nunjucks puts in the place of super() and of async filters.
const HOLE = /^hole_\d+$/

const watched = new WeakSet<object>()

/**
 * The callback of a render of these variables. One that fails inside of an include goes on behind it, which Nunjucks
 * does not notice.
 */
export function untilAnswered (variables: object, callback: Callback<string>): Callback<string> {
  const recorder = (variables as { [RECORDER]?: Recorder })[RECORDER]
  if (recorder === undefined) return callback
  return (error, html) => {
    recorder.answered()
    callback(error, html)
  }
}

/** Watches the variables of a template, if they are of a recording. */
export function watch (context: Context): void {
  const variables = context as Variables
  const brought = variables.ctx[RECORDER]
  if (brought === undefined || watched.has(context)) return
  watched.add(context)
  const given = brought as Recorded | Recorder
  let recorded: Recorded = 'own' in given ? given : { recorder: given, own: new Set() }
  const { lookup, setVariable } = variables
  variables.lookup = name => {
    if (HOLE.test(name)) return lookup.call(variables, name)
    const isRead = name in variables.ctx ? !recorded.own.has(name) : !(name in context.env.globals)
    if (isRead) recorded.recorder.noteName(name)
    return lookup.call(variables, name)
  }
  variables.setVariable = (name, value) => {
    recorded = { recorder: recorded.recorder, own: new Set([...recorded.own, name]) }
    variables.ctx[RECORDER] = recorded
    setVariable.call(variables, name, value)
  }
}
