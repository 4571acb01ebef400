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
  /** The ids of those around it, the outermost first. */
  within: readonly string[]
}

/** No elements around. */
export const NOWHERE: readonly string[] = []

/** The result of parsing HTML. */
export interface Outline {
  /** Those that are comments, and no text of a script, a title or an attribute. */
  comments: readonly PlaceComment[]
  /** Where a body has to begin for these comments to be in it; undefined where that needs nothing. */
  body: number | undefined
  /** Where more can be added: in front of the end of the body. Undefined when something is left open that would swallow it. */
  end: number | undefined
}

interface PlaceComment {
  /** Where it begins. */
  start: number
  /** The part of the document that it is in. */
  zone: Zone
}

type Zone = 'before' | 'head' | 'between' | 'body' | 'after'

const NAME = 'chirp-part:'
const OPENING = `<!--${NAME}`
const CLOSING = `<!--/${NAME}`

export function openComment (id: string): string {
  return `${OPENING}${id}-->`
}

export function closeComment (id: string): string {
  return `${CLOSING}${id}-->`
}

/** What the client script takes a part from: the template is whole when the element behind it begins. */
export function elementOf (id: string, html: string): string {
  return `<template id="chirp-part-${id}">${html}</template><chirp-part for="${id}"></chirp-part>`
}

/** The places whose ids begin with `prefix`, in the order in which they begin. With an outline only those that a browser sees. */
export function findPlaces (html: string, prefix: string, outline?: Outline): Place[] {
  const places = new Map<string, Place>()
  const doubled = new Set<string>()
  const open: Array<{ place: Place, zone: Zone | undefined, inside?: readonly string[] }> = []
  for (const { start, zone } of outline?.comments ?? commentsIn(html)) {
    const isClosing = html.charCodeAt(start + 4) === SLASH
    const at = start + (isClosing ? CLOSING : OPENING).length
    if (!html.startsWith(prefix, at)) continue
    const to = html.indexOf('-->', at)
    const end = to + 3
    // A slice of some length would keep all of the page in memory.
    const id = prefix + html.slice(at + prefix.length, to)
    const last = open.at(-1)
    if (!isClosing) {
      const place = { id, start, from: end, to: -1, end: -1, within: last === undefined ? NOWHERE : last.inside ??= [...last.place.within, last.place.id] }
      open.push({ place, zone })
      if (places.has(id)) doubled.add(id)
      places.set(id, place)
    } else if (last?.place.id === id && last.zone === zone) {
      last.place.to = start
      last.place.end = end
      open.pop()
    }
  }
  // One that is there twice would be in two places.
  return [...places.values()].filter(({ id, to }) => to !== -1 && !doubled.has(id))
}

function commentsIn (html: string): Array<{ start: number, zone?: Zone }> {
  return [...html.matchAll(/<!--\/?chirp-part:/g)].map(({ index }) => ({ start: index }))
}

/** Elements whose content is text; that of `noscript` is for browsers that run scripts. Each with what ends it. */
const TEXT = new Map(['script', 'style', 'title', 'textarea', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript', 'plaintext']
  .map(tag => [tag, new RegExp(`</${tag}(?=[\\s/>])`, 'gi')]))

/** Elements that a document may have before its body. */
const HEAD = new Set(['html', 'head', 'base', 'basefont', 'bgsound', 'link', 'meta', 'title', 'script', 'style', 'template', 'noscript', 'noframes'])

/** What is none of its own. */
const STRUCTURE = new Set(['html', 'head', 'body'])

/**
 * In a body, the beginning of anything but a tag that matters not: of another element, with attributes that are
 * written as usual and have no `<`. Most tags of a page are of that kind, and this is the fastest way past them.
 */
const ODD = new RegExp(`<(?!/?(?!(?:${[...TEXT.keys(), ...STRUCTURE, 'template'].join('|')})[\\s/>])[a-z][\\w:-]*(?:\\s+[\\w:@.-]+(?:="[^"<]*")?)*\\s*/?>)`, 'gi')

/** Where the next `<` is that has to be looked at; -1 when there is none. */
function nextIn (html: string, from: number, zone: Zone): number {
  if (zone !== 'body') return html.indexOf('<', from)
  ODD.lastIndex = from
  return ODD.test(html) ? ODD.lastIndex - 1 : -1
}

/**
 * Reads a document, or what is to be somewhere in it (`isPart`), as a browser would:
 * https://html.spec.whatwg.org/multipage/parsing.html
 */
export function outlineOf (html: string, isPart = false): Outline {
  const comments: PlaceComment[] = []
  let zone: Zone = isPart ? 'body' : 'before'
  let templates = 0
  let body: number | undefined
  let last: number | undefined
  const broken: Outline = { comments, body, end: undefined }
  for (let start = nextIn(html, 0, zone), end: number; start !== -1; start = nextIn(html, end, zone)) {
    const isEnd = html.charCodeAt(start + 1) === SLASH
    const nameAt = isEnd ? start + 2 : start + 1
    if (!isLetter(html.charCodeAt(nameAt))) {
      end = endOfOther(html, start)
      if (end === -1) return broken
      if (!isPlace(html, start) || templates > 0 || zone === 'between' || zone === 'after') continue
      if (zone === 'before') {
        // A browser would take it for a comment in front of the document.
        body = start
        zone = 'body'
      }
      comments.push({ start, zone })
      continue
    }
    const nameEnd = endOfName(html, nameAt)
    end = endOfTag(html, nameEnd)
    if (end === -1) return broken
    const tag = html.slice(nameAt, nameEnd).toLowerCase()
    if (tag === 'template') templates += isEnd ? -1 : 1
    if (templates < 0) return broken
    // Those of a template are its own, or are dropped.
    const isOutside = templates === 0
    if (isEnd) {
      if (!isOutside) continue
      if (tag === 'body' || tag === 'html') {
        last ??= start
        zone = 'after'
      } else if (tag === 'head' && zone === 'head') {
        zone = 'between'
      }
      continue
    }
    const isStructure = STRUCTURE.has(tag) && isOutside
    // Templates drop it.
    if (isStructure && isPart) return broken
    if (isStructure && body !== undefined) {
      // It begins later than was thought.
      comments.length = 0
      body = undefined
      zone = 'before'
    }
    if (!isOutside) {
      // It changes nothing outside.
    } else if (tag === 'head' && zone === 'before') zone = 'head'
    else if (zone !== 'body' && zone !== 'after' && !HEAD.has(tag)) zone = 'body'
    const close = TEXT.get(tag)
    if (close !== undefined) {
      close.lastIndex = end
      const found = close.exec(html)
      if (found === null) return broken
      end = tag === 'script' && html.slice(end, found.index).includes('<!--') ? endOfScript(html, end) : found.index
      if (end === -1) return broken
    }
  }
  return { comments, body, end: templates === 0 ? last ?? html.length : undefined }
}

const TAB = 9
const RETURN = 13
const SPACE = 32
const BANG = 33
const QUOTE = 34
const APOSTROPHE = 39
const SLASH = 47
const EQUALS = 61
const CLOSE = 62
const QUESTION = 63

function isLetter (code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}

/** Whether a place begins or ends with what begins here. */
function isPlace (html: string, start: number): boolean {
  return html.startsWith(OPENING, start) || html.startsWith(CLOSING, start)
}

function isSpace (code: number): boolean {
  return code === SPACE || (code >= TAB && code <= RETURN)
}

function endOfName (html: string, from: number): number {
  let at = from
  for (; at < html.length; at++) {
    const code = html.charCodeAt(at)
    if (isSpace(code) || code === SLASH || code === CLOSE) break
  }
  return at
}

/** Where a tag has ended whose attributes begin here; -1 when it does not end. */
function endOfTag (html: string, from: number): number {
  let at = from
  while (at < html.length) {
    const code = html.charCodeAt(at++)
    if (code === CLOSE) return at
    if (isSpace(code) || code === SLASH) continue
    // An attribute. Its first character may be any other, also an equals sign.
    at = skipSpace(html, endOfAttribute(html, at))
    if (html.charCodeAt(at) !== EQUALS) continue
    at = skipSpace(html, at + 1)
    const quote = html.charCodeAt(at)
    if (quote === QUOTE || quote === APOSTROPHE) {
      at = html.indexOf(quote === QUOTE ? '"' : "'", at + 1) + 1
      if (at === 0) return -1
    } else {
      // Quotes within it are text.
      while (at < html.length && html.charCodeAt(at) !== CLOSE && !isSpace(html.charCodeAt(at))) at++
    }
  }
  return -1
}

function endOfAttribute (html: string, from: number): number {
  let at = from
  for (; at < html.length; at++) {
    const code = html.charCodeAt(at)
    if (code === EQUALS || isSpace(code) || code === SLASH || code === CLOSE) break
  }
  return at
}

function skipSpace (html: string, from: number): number {
  let at = from
  while (isSpace(html.charCodeAt(at))) at++
  return at
}

const SCRIPT = /<!--|-->|<(\/?)script(?=[\s/>])/gi

/** Where a script has ended that has the beginning of a comment in it: a script in that comment has its own end. */
function endOfScript (html: string, from: number): number {
  let isComment = false
  let isInner = false
  SCRIPT.lastIndex = from
  for (let found = SCRIPT.exec(html); found !== null; found = SCRIPT.exec(html)) {
    const [text, slash] = found
    if (text === '<!--') {
      isComment = true
      // The same hyphens may end it.
      SCRIPT.lastIndex -= 2
    } else if (text === '-->') {
      isComment = isInner = false
    } else if (slash === '') {
      isInner = isComment
    } else if (isInner) {
      isInner = false
    } else {
      return found.index
    }
  }
  return -1
}

/** Where a comment has ended, or another thing in angle brackets, or one that stands for itself; -1 when it does not end. */
function endOfOther (html: string, start: number): number {
  if (html.startsWith('<!--', start)) return endOfComment(html, start + 4)
  const next = html.charCodeAt(start + 1)
  if (next !== BANG && next !== SLASH && next !== QUESTION) return start + 1
  return html.indexOf('>', start) + 1 || -1
}

function endOfComment (html: string, from: number): number {
  if (html.startsWith('>', from)) return from + 1
  if (html.startsWith('->', from)) return from + 2
  for (let at = html.indexOf('--', from); at !== -1; at = html.indexOf('--', at + 1)) {
    if (html.startsWith('>', at + 2)) return at + 3
    if (html.startsWith('!>', at + 2)) return at + 4
  }
  return -1
}
