// Places for signals that do not exist.
import { at } from '../scan/model.js'
import { namesOf } from '../scan/streams.js'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'

const EVENT = 'signal:'

export const unknownSignal: Rule = {
  category: 'unknown-signal',
  severity: 'error',
  summary: 'A template shows a signal that the app does not declare.',
  check (model, report) {
    const { library, elements, snapshot: { signals } } = model
    // Without signals the function may be one of the app.
    if (signals.size === 0) return
    const message = (written: string, name: string): string => `There is no signal "${name}", which ${written} shows.${suggest(name, signals)} Correct the name, or declare it before the app starts: app.signal('${name}')`
    for (const template of library.templates.values()) {
      for (const { call, name, offset } of template.signals) {
        if (signals.has(name) || template.macros.has(call) || template.imports.has(call)) continue
        report({ template: template.name, ...template.position(offset), message: message(`${call}()`, name) })
      }
    }
    for (const element of elements) {
      for (const attribute of element.attributes) {
        if (attribute.name !== 'sse-swap') continue
        for (const event of namesOf(attribute)!) {
          const name = event.slice(EVENT.length)
          if (event.startsWith(EVENT) && !signals.has(name)) report({ ...at(model, element, attribute), message: message(attribute.written, name) })
        }
      }
    }
  }
}
