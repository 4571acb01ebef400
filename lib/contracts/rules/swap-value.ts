// Values of hx-swap that htmx does not know. An extension may know others, so
// only what is nearly a word of htmx is one that is misspelt.
import { at, type Model } from '../scan/model.js'
import type { Attribute } from '../scan/parts.js'
import { isKnown } from '../scan/pattern.js'
import { nearest } from '../../util/closest.js'
import type { Rule } from './rule.js'
import { strangeWords } from './swaps.js'

const SWAPS = new Set(['hx-swap', 'hx-swap:inherited'])

export const swapValue: Rule = {
  category: 'swap-value',
  severity: 'error',
  summary: 'hx-swap, hx-swap-oob or the swap of a fragment has a word that htmx does not know.',
  check (model, report) {
    for (const element of model.live) {
      for (const attribute of element.attributes) {
        for (const text of swapsOf(attribute)) tell(text, at(model, element, attribute), attribute.written)
      }
    }
    for (const { swap: { text, ...place } } of model.source.swaps) tell(text, place, 'the swap of this fragment')

    function tell (text: string, place: ReturnType<typeof at> | Omit<Model['source']['events'][number], 'text'>, where: string): void {
      for (const { word, known } of strangeWords(text)) {
        const meant = known.find(other => other.toLowerCase() === word.toLowerCase()) ?? nearest(word, known)
        if (meant !== undefined) report({ ...place, message: `htmx does not know "${word}" in ${where}. Did you mean "${meant}"? Correct the value` })
      }
    }
  }
}

function swapsOf ({ name, values }: Attribute): string[] {
  const known = values.filter(isKnown)
  if (SWAPS.has(name)) return known
  // `true`, a style, or a style with a selector.
  return name === 'hx-swap-oob' ? known.map(value => value.split(/[:\s]/)[0] as string).filter(style => style !== 'true' && style !== 'false') : []
}
