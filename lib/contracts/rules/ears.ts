// Listeners to events other than sse-swap.
import { once } from './once.js'

/** Whether something else may wait for an event: a script, a trigger of htmx 4, or what a template makes of a text. */
export const otherEars = once(({ library, elements }) => {
  const templates = [...library.templates.values()]
  const scripts = templates.map(({ scripts }) => scripts).join('\n')
  const names = new Set(templates.flatMap(({ literals }) => [...literals]))
  for (const { attributes } of elements) {
    for (const { name, values } of attributes) {
      if (name.startsWith('hx-on:')) names.add(name.replace(/^hx-on::?/, ''))
      if (name === 'hx-trigger') for (const trigger of values.join(',').split(',')) names.add(trigger.trim().split(/[\s[]/)[0] as string)
    }
  }
  return (name: string): boolean => names.has(name) || ['"', "'", '`'].some(quote => scripts.includes(quote + name + quote))
})
