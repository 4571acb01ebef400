// Elements that the client script cannot fetch again.
import { isConnect } from '../scan/address.js'
import { at } from '../scan/model.js'
import type { Rule } from './rule.js'

export const refresh: Rule = {
  category: 'refresh',
  severity: 'error',
  summary: 'chirp-refresh is on an element that has no id, or that connects to no stream.',
  check (model, report) {
    for (const element of model.live) {
      const { attributes, dynamic } = element
      const attribute = attributes.find(({ name }) => name === 'chirp-refresh')
      if (attribute === undefined || dynamic) continue
      const place = at(model, element, attribute)
      if (!attributes.some(({ name }) => name === 'id')) {
        report({ ...place, message: 'chirp-refresh finds the element in the new page by its id, and this one has none. Give it an id' })
      }
      if (!attributes.some(isConnect)) {
        report({ ...place, message: 'chirp-refresh is for the element that connects to the stream, and this one does not. Move it there' })
      }
    }
  }
}
