// Template functions that show a signal: signal(name), and signal_attrs(name)
// for an element of one's own.
import { attributesFor, type DialectOption } from '../../../dialects/list.js'
import { FST_CHIRP_OPTION } from '../../../errors.js'
import { describe } from '../../../util/describe.js'
import type { PrintedSignals } from '../../renderer.js'
import type { Host } from '../host.js'
import type { Environment } from '../internals.js'
import { dialectOf, print, type Variables } from './attributes.js'
import { addFunction } from './registrations.js'

/** The signals of one registration. */
interface Own {
  readonly signals: PrintedSignals
  readonly dialect: DialectOption
}

/** Adds the functions to an environment, except for those whose names are taken. */
export function addSignalGlobals (environment: Environment, { env: view, current }: Pick<Host, 'env' | 'current'>, own: Own): void {
  // The environment's own copy of Nunjucks, whose marks it recognizes.
  const mark = environment.getFilter('safe')

  const add = (call: string, show: (attributes: string, html: string) => string): void => {
    addFunction(environment, view, call, own, (registrations, isOwn) => function (this: Variables, name: unknown) {
      if (typeof name !== 'string' && !(name instanceof String)) throw new TypeError(`${call}("balance") takes the name of a signal, not ${describe(name)}`)
      const [{ signals, dialect }] = registrations as unknown as [Own]
      if (registrations.size > 1) {
        throw new FST_CHIRP_OPTION(`${call}() cannot know whose signal "${name}" is: the plugin is registered several times with these templates. Render the page with reply.page()`)
      }
      const html = ((isOwn ? current.page?.signals : undefined) ?? signals).html(String(name))
      const attributes = attributesFor(dialectOf(this, dialect), ({ signal }) => signal(String(name)))
      return mark(show(attributes.map(print).join(' '), html))
    })
  }

  add('signal', (attributes, html) => `<span ${attributes}>${html}</span>`)
  add('signal_attrs', attributes => attributes)
}
