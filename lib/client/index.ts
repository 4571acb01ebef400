// Runs where it is loaded: joins whichever htmx is on the page, and places the parts of the page, once.
import { joinHtmx2 } from './htmx2.js'
import { joinHtmx4 } from './htmx4.js'
import { placeParts } from './parts.js'

/** The attribute of the tag that is only there for the parts behind it. */
const PASSING = 'data-chirp-part'

// A bundle may also be loaded where there is no page.
const page = globalThis as { document?: Document, __chirp?: boolean }
const tag = page.document?.currentScript
if (tag?.hasAttribute(PASSING)) tag.remove()
if (page.document && !page.__chirp) {
  page.__chirp = true
  joinHtmx2()
  joinHtmx4()
  placeParts()
}
