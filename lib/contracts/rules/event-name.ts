// Event names that browsers or htmx take for something else.
import { at } from '../scan/model.js'
import { nameHazard } from '../../sse/names.js'
import type { Rule } from './rule.js'

export const eventName: Rule = {
  category: 'event-name',
  severity: 'warning',
  summary: 'An event has a name that means something else to browsers or htmx.',
  check (model, report) {
    const { snapshot, source, streams } = model
    for (const { method, url, events = [] } of snapshot.routes) {
      for (const name of method === 'HEAD' ? [] : events) tell(name, { route: `${method} ${url}` })
    }
    for (const { attribute, element, names } of streams.listeners) {
      // To listen to what has no name on htmx 2, or to the plugin, is fine.
      for (const name of names) if (name !== 'message' && !name.startsWith('chirp:')) tell(name, at(model, element, attribute))
    }
    for (const { text, file, line, column } of [...source.events, ...source.targets]) tell(text, { file, line, column })

    function tell (name: string, place: object): void {
      const hazard = nameHazard(name)
      if (hazard !== undefined) report({ ...place, message: `"${name}" is not a good name for an event: ${hazard}. Choose another` })
    }
  }
}
