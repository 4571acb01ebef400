// Runs where it is loaded: joins whichever htmx is on the page, and places the parts of the page, once.
import { joinHtmx2 } from './htmx2.js'
import { joinHtmx4 } from './htmx4.js'
import { placeParts } from './parts.js'

// A bundle may also be loaded where there is no page.
const page = globalThis as { document?: object, __chirp?: boolean }
if (page.document && !page.__chirp) {
  page.__chirp = true
  joinHtmx2()
  joinHtmx4()
  placeParts()
}
