// Finds the places of parts in the HTML of a page. A place is the content
// between two comments, which tables, lists of options and drawings may have too.

/** The content between two comments of the same id. */
export interface Place {
  id: string
  /** Where the opening comment begins. */
  start: number
  /** Where its content begins. */
  from: number
  /** Where the closing comment begins. */
  to: number
  /** Where it ends. */
  end: number
}

/** The result of parsing HTML. */
export interface Outline {
  /** Comments that are comments, and no text of a script, a title or an attribute; each with the part of the document that it is in. */
  comments: ReadonlyMap<number, Zone>
  /** Where a body has to begin for these comments to be in it; undefined where that needs nothing. */
  body: number | undefined
  /** Where more can be added: in front of the end of the body. Undefined when something is left open that would swallow it. */
  end: number | undefined
}

type Zone = 'before' | 'head' | 'between' | 'body' | 'after'

const NAME = 'chirp-part:'

export function openComment (id: string): string {
  return `<!--${NAME}${id}-->`
}

export function closeComment (id: string): string {
  return `<!--/${NAME}${id}-->`
}

/** The places whose ids begin with `prefix`, in the order in which they begin. With an outline only those that a browser sees. */
export function findPlaces (html: string, prefix: string, outline?: Outline): Place[] {
  const places: Place[] = []
  const open: Array<Place & { zone: Zone | undefined }> = []
  const mark = NAME + prefix
  for (let at = html.indexOf(mark); at !== -1; at = html.indexOf(mark, at + mark.length)) {
    const isClosing = html[at - 1] === '/'
    const start = at - (isClosing ? 5 : 4)
    const end = html.indexOf('-->', at) + 3
    const zone = outline?.comments.get(start)
    if (outline !== undefined && zone === undefined) continue
    const id = html.slice(at + NAME.length, end - 3)
    if (!isClosing) {
      open.push({ id, zone, start, from: end, to: -1, end: -1 })
      places.push(open.at(-1)!)
    } else if (open.at(-1)?.id === id && open.at(-1)!.zone === zone) {
      Object.assign(open.pop()!, { to: start, end })
    }
  }
  // One that is there twice would be in two places.
  return places.filter(({ id, to }) => to !== -1 && places.every(other => other.id !== id || other.to === to))
}

// https://html.spec.whatwg.org/multipage/parsing.html: a comment; a tag with its
// name, and its attributes; another thing in angle brackets. Each may lack its end.
const TOKEN = /<!--(?:-?>|[^]*?(?:--!?>|$))|<(\/?)([a-z][^\s/>]*)(?:[^>"']|"[^"]*"|'[^']*')*(>|["'][^]*|$)|<[!?/][^>]*>?/gi
/** Elements whose content is text; that of `noscript` is for browsers that run scripts. */
const TEXT = /^(?:script|style|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext)$/

/** Elements that a document may have before its body. */
const HEAD = /^(?:html|head|base|basefont|bgsound|link|meta|title|script|style|template|noscript|noframes)$/

/** Reads a document, or what is to be somewhere in it (`isPart`). */
export function outlineOf (html: string, isPart = false): Outline {
  const comments = new Map<number, Zone>()
  let zone: Zone = isPart ? 'body' : 'before'
  let templates = 0
  let body: number | undefined
  let last: number | undefined
  const broken: Outline = { comments, body, end: undefined }
  TOKEN.lastIndex = 0
  for (let token = TOKEN.exec(html); token !== null; token = TOKEN.exec(html)) {
    const { index } = token
    const [text, slash, name, close = text.slice(-1)] = token
    if (close !== '>') return broken
    if (name === undefined) {
      if (templates > 0 || zone === 'between' || zone === 'after') continue
      if (zone === 'before') {
        // A browser would take it for a comment in front of the document.
        if (!html.startsWith(NAME, index + 4)) continue
        body = index
        zone = 'body'
      }
      comments.set(index, zone)
      continue
    }
    const tag = name.toLowerCase()
    if (tag === 'template') templates += slash === '' ? 1 : -1
    if (templates < 0) return broken
    if (slash === '/') {
      if (tag === 'body' || tag === 'html') {
        last ??= index
        zone = 'after'
      } else if (tag === 'head' && zone === 'head') {
        zone = 'between'
      }
      continue
    }
    const isStructure = /^(?:html|head|body)$/.test(tag)
    // Templates drop it.
    if (isStructure && isPart) return broken
    if (isStructure && body !== undefined) {
      // It begins later than was thought.
      comments.clear()
      body = undefined
      zone = 'before'
    }
    if (tag === 'head' && zone === 'before') zone = 'head'
    else if (!HEAD.test(tag) && zone !== 'after') zone = 'body'
    if (TEXT.test(tag)) {
      const end = new RegExp(`</${tag}(?=[\\s/>])`, 'gi')
      end.lastIndex = TOKEN.lastIndex
      if (!end.test(html)) return broken
      TOKEN.lastIndex = end.lastIndex - tag.length - 2
    }
  }
  return { comments, body, end: templates === 0 ? last ?? html.length : undefined }
}
