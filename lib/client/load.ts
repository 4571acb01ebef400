// Pages that are fetched after a gap: of each address at most two in ten seconds,
// the one that is shown counts, and one for all elements that wait for it.

interface Page {
  response: Response
  content: Document
}

interface Loads {
  /** When the two newest loads began, in the time of `performance`. */
  before: number
  last: number
  page?: Promise<Page>
}

// A little more than ten seconds: on its way one may lose some time that the next does not.
const PERIOD = 11000
const known = new Map<string, Loads>()

function loadsOf (address: string): Loads {
  // The page itself was loaded when the time began.
  return known.get(address) ?? { before: -Infinity, last: 0 }
}

/** Whether a caller that needs a page newer than `since` has to wait. */
export function mustWaitFor (address: string, since: number): boolean {
  const { before, last } = loadsOf(address)
  return last <= since && performance.now() < before + PERIOD
}

/** A page that is newer than `since`. */
export function load (address: string, since: number): Promise<Page> {
  const loads = loadsOf(address)
  if (loads.last <= since) {
    loads.before = loads.last
    loads.last = performance.now()
    loads.page = fetchPage(address)
    known.set(address, loads)
    // It holds a whole page.
    setTimeout(() => { if (loads.last + PERIOD <= performance.now()) known.delete(address) }, PERIOD)
  }
  return loads.page!
}

// As a browser does, which says why.
async function fetchPage (address: string): Promise<Page> {
  const response = await fetch(address, { cache: 'no-store', headers: { 'Chirp-Gap': '1' } })
  return { response, content: new DOMParser().parseFromString(await response.text(), 'text/html') }
}
