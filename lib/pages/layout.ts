// Where the places of parts are in the HTML of a page. A place is what stands
// between two comments, which tables, lists of options and drawings take too.

/** What stands between two comments of the same id. */
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

/** What HTML leads to when it is parsed. */
export interface Outline {
  /** Where comments are comments, and no text of a script, a title or an attribute. */
  comments: ReadonlySet<number>
  /** Where more can be added: in front of the end of the body. Undefined when something is left open that would swallow it. */
  end: number | undefined
}

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
  const open: Place[] = []
  const mark = NAME + prefix
  for (let at = html.indexOf(mark); at !== -1; at = html.indexOf(mark, at + mark.length)) {
    const isClosing = html[at - 1] === '/'
    const start = at - (isClosing ? 5 : 4)
    const end = html.indexOf('-->', at) + 3
    if (outline !== undefined && !outline.comments.has(start)) continue
    const id = html.slice(at + NAME.length, end - 3)
    if (!isClosing) {
      open.push({ id, start, from: end, to: -1, end: -1 })
      places.push(open.at(-1)!)
    } else if (open.at(-1)?.id === id) {
      Object.assign(open.pop()!, { to: start, end })
    }
  }
  // One that is there twice would be in two places.
  return places.filter(({ id, to }) => to !== -1 && places.every(other => other.id !== id || other.to === to))
}

// https://html.spec.whatwg.org/multipage/parsing.html: a comment; a tag with its
// name, its attributes, and its end; another thing in angle brackets.
const TOKEN = /<!--(?:-?>|[^]*?(?:--!?>|$))|<(\/?)([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)(>?)|<[!?/][^>]*(>?)/gi
/** Elements whose content is text; that of `noscript` is for browsers that run scripts. */
const TEXT = /^(?:script|style|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext)$/

export function outlineOf (html: string): Outline {
  const comments = new Set<number>()
  let templates = 0
  let body: number | undefined
  TOKEN.lastIndex = 0
  for (let token = TOKEN.exec(html); token !== null; token = TOKEN.exec(html)) {
    const [text, slash, name, , close = token[5]] = token
    if (name === undefined) {
      if (close === undefined ? !text.endsWith('>') : close === '') return { comments, end: undefined }
      if (templates === 0) comments.add(token.index)
      continue
    }
    if (close === '') return { comments, end: undefined }
    const tag = name.toLowerCase()
    if (tag === 'template') templates += slash === '' ? 1 : -1
    if (templates < 0) return { comments, end: undefined }
    if (slash === '/') {
      if (tag === 'body' && templates === 0) body = token.index
    } else if (TEXT.test(tag)) {
      const end = new RegExp(`</${tag}(?=[\\s/>])`, 'gi')
      end.lastIndex = TOKEN.lastIndex
      if (!end.test(html)) return { comments, end: undefined }
      TOKEN.lastIndex = end.lastIndex - tag.length - 2
    }
  }
  return { comments, end: templates === 0 ? body ?? html.length : undefined }
}
