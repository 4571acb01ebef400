// Finds the tags in a template's text. What Nunjucks replaces is masked, so
// that the tokenizer's offsets are those of the template.
import { Tokenizer, TokenizerMode, type Token } from 'parse5'
import { LONGEST_IN_TAG, MOST_ATTRIBUTES, TooLarge } from '../limits.js'
import { bodiesOf, type Attribute, type Part, type Slot, type Tag, type TagContent, type Text } from './parts.js'
import { clip, HOLE } from './pattern.js'
import { lastIndex } from './position.js'
import { printedBy } from './printed.js'
import { valuesBetween } from './values.js'

// In place of statements and comments. Each is another character, because the
// same attribute may come twice in one tag, and two equal names are an error.
const FILLS = 4096
const FIRST_FILL = 0xE100
const FILL = /[\uE100-\uF0FF]+/
const HOLES = new RegExp(HOLE, 'g')

/** Elements whose content is text, whatever it looks like. */
const TEXT_MODES: Record<string, Tokenizer['state']> = {
  title: TokenizerMode.RCDATA,
  textarea: TokenizerMode.RCDATA,
  style: TokenizerMode.RAWTEXT,
  xmp: TokenizerMode.RAWTEXT,
  iframe: TokenizerMode.RAWTEXT,
  noembed: TokenizerMode.RAWTEXT,
  noframes: TokenizerMode.RAWTEXT,
  script: TokenizerMode.SCRIPT_DATA
}

interface Range { start: number, end: number }

/** The content of a region of a template besides its tags. */
export interface Region {
  hasDoctype: boolean
  /** The text of its scripts. */
  scripts: string
}

/** Before what is read as the inside of a start tag. */
const OPENING = '<x '

const NO_PARTS: ReadonlySet<Part> = new Set()

/** Finds the tags of some parts and puts them there; says of statements whether they are opaque. */
export function tokenize (parts: Part[], text: string, template: string): Region {
  const region = read(parts, text, template, NO_PARTS)
  if (region.closed.size === 0) return region
  // The content of a block inside a tag depends on the page.
  for (const part of flatten(parts, NO_PARTS)) if (part.kind === 'text') part.tags.length = 0
  return read(parts, text, template, region.closed)
}

/** The content that some parts add to their start tag; undefined when that is too long. */
export function tokenizeInTag (parts: Part[], text: string, template: string): TagContent | undefined {
  const all = flatten(parts, NO_PARTS)
  const last = all.at(-1)
  if (last !== undefined && last.offset - (all[0] as Part).offset > LONGEST_IN_TAG) return undefined
  return read(parts, text, template, new Set(all.filter(({ kind }) => kind === 'block')), true).content
}

interface Reading extends Region {
  /** Blocks inside of start tags. */
  closed: Set<Part>
  content: TagContent
}

function read (parts: Part[], text: string, template: string, closed: ReadonlySet<Part>, inTag = false): Reading {
  const all = flatten(parts, closed)
  const texts = all.filter(part => part.kind === 'text')
  const statements = all.filter(part => part.kind !== 'text')
  const byOffset = new Map<number, Exclude<Part, Text>>()
  for (const statement of statements) if (!byOffset.has(statement.offset)) byOffset.set(statement.offset, statement)
  const region: Reading = { hasDoctype: false, scripts: '', closed: new Set(), content: { attributes: [], dynamic: false, slots: [] } }
  const [first] = inTag ? all : texts
  if (first === undefined) return region
  const from = first.offset
  // The offset of the text that the tokenizer reads.
  const base = inTag ? from - OPENING.length : from
  const lists = new Map<readonly Part[], ReadonlySet<Part>>()
  const opaque: Range[] = []
  const tags: Range[] = []
  let textElement: { name: string, start: number } | undefined

  const tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, {
    onStartTag (token) {
      const { start, end } = note(token)
      tags.push({ start, end })
      const name = token.tagName.split(FILL)[0] as string
      const content = attributesOf(token, inTag ? parts : textAt(start).scope)
      if (inTag) {
        // Attributes after the end of the tag are not its own.
        if (tags.length === 1) region.content = content
        return
      }
      if (token.attrs.length > MOST_ATTRIBUTES || isFull(content)) throw new TooLarge(`a tag has more than ${MOST_ATTRIBUTES} attributes`, start)
      place({ kind: 'open', name, template, offset: start, selfClosing: token.selfClosing, ...content }, start)
      const mode = Object.hasOwn(TEXT_MODES, name) ? TEXT_MODES[name] : undefined
      if (mode === undefined) return
      tokenizer.state = mode
      textElement = { name, start: end }
    },
    onEndTag (token) {
      const { start } = note(token)
      if (textElement !== undefined) {
        opaque.push({ start: textElement.start, end: start })
        if (textElement.name === 'script') region.scripts += text.slice(textElement.start, start) + '\n'
        textElement = undefined
      }
      if (!inTag) place({ kind: 'close', name: token.tagName.split(FILL)[0] as string, offset: start }, start)
    },
    onComment: note,
    onDoctype (token) {
      note(token)
      region.hasDoctype = true
    },
    onCharacter () {},
    onNullCharacter () {},
    onWhitespaceCharacter () {},
    onEof () {
      if (textElement !== undefined) opaque.push({ start: textElement.start, end: Infinity })
    }
  })
  const masked = mask(texts, statements, text, from)
  tokenizer.write(inTag ? `${OPENING}${masked}>` : masked, true)
  opaque.sort((a, b) => a.start - b.start)
  // The parts may stand elsewhere, too.
  if (inTag) return region
  for (const statement of statements) {
    const around = opaque[lastIndex(opaque, ({ start }) => start < statement.offset)]
    statement.opaque = around !== undefined && statement.offset < around.end
    const tag = tags[lastIndex(tags, ({ start }) => start < statement.offset)]
    if (statement.kind === 'block' && tag !== undefined && statement.offset < tag.end) region.closed.add(statement)
  }
  return region

  function note ({ location }: Pick<Token.TagToken, 'location'>): Range {
    const { startOffset, endOffset } = location as Token.Location
    const range = { start: startOffset + base, end: endOffset + base }
    opaque.push(range)
    return range
  }

  function textAt (offset: number): Text {
    return texts[lastIndex(texts, text => text.offset <= offset)] as Text
  }

  function isIn (part: Part, list: readonly Part[]): boolean {
    let members = lists.get(list)
    if (members === undefined) lists.set(list, members = new Set(list))
    return members.has(part)
  }

  function place (tag: Tag, start: number): void {
    textAt(start).tags.push(tag)
  }

  // Of too many one more than there may be.
  function attributesOf (token: Token.TagToken, scope: readonly Part[]): TagContent {
    const { attrs: locations = {} } = token.location as Token.LocationWithAttributes
    const content = { attributes: [] as Attribute[], dynamic: false, slots: [] as Slot[] }
    const { attributes, slots } = content
    for (const { name: masked, value } of token.attrs) {
      const { startOffset, endOffset } = locations[masked] as Token.Location
      const names = masked.split(FILL)
      const written = names.findLast(name => name !== '') ?? ''
      if (names.some(mayBeOurs)) {
        for (const { index } of masked.matchAll(HOLES)) {
          const part = byOffset.get(startOffset + base + index)
          const printed = part?.kind === 'call' ? printedBy(part, part.scope !== scope, template) : undefined
          if (printed !== undefined) attributes.push(...printed)
          else if (part !== undefined && isSlot(part) && isAlone(masked, index)) slots.push({ part, conditional: !isIn(part, scope) })
          else content.dynamic = true
          // Statements side by side are one name to the tokenizer.
          if (isFull(content)) return content
        }
      }
      if (written === '' || written.includes(HOLE)) continue
      const offset = startOffset + base + masked.lastIndexOf(written)
      const around = textAt(offset).scope
      const attribute = {
        name: written.replace(/^data-(?=hx-|sse-)/, ''), written, template, values: [clip(value)], offset, conditional: around !== scope, isPrinted: false
      }
      attributes.push(attribute)
      if (!FILL.test(value) && !value.includes(HOLE)) continue
      // Most attributes are of no interest.
      let values: readonly string[] | undefined
      const read = () => (values ??= valuesBetween(around, text, offset + written.length, endOffset + base))
      Object.defineProperty(attribute, 'values', { get: read })
    }
    return content
  }
}

/** Whether a tag holds more than any that is written by hand. */
function isFull ({ attributes, slots }: TagContent): boolean {
  return attributes.length + slots.length > MOST_ATTRIBUTES
}

function isSlot (part: Part): part is Slot['part'] {
  return part.kind === 'block' || part.kind === 'super' || part.kind === 'include' || part.kind === 'call'
}

// Not within a name, of which it would be a part.
function isAlone (masked: string, index: number): boolean {
  return index === 0 || FILL.test(masked[index - 1] as string)
}

// An expression that prints `hx-...` or `sse-...` for all that is known.
function mayBeOurs (name: string): boolean {
  const hole = name.indexOf(HOLE)
  return hole !== -1 && /^(?:data-?)?(?:hx|sse|id|href|action|$)/.test(name.slice(0, hole))
}

function flatten (parts: readonly Part[], closed: ReadonlySet<Part>, all: Part[] = []): Part[] {
  for (const part of parts) {
    all.push(part)
    if (!closed.has(part)) for (const body of bodiesOf(part)) flatten(body, closed, all)
  }
  return all
}

function mask (texts: Text[], statements: Part[], text: string, base: number): string {
  const holes = statements.filter(part => part.kind !== 'branch' || part.foreign).map(({ offset }) => offset - base).sort((a, b) => a - b)
  let masked = ''
  let next = 0
  for (const [index, { offset, end }] of texts.entries()) {
    const fill = String.fromCharCode(FIRST_FILL + index % FILLS)
    while ((holes[next] ?? Infinity) < offset - base) {
      const hole = holes[next++] as number
      if (hole >= masked.length) masked += fill.repeat(hole - masked.length) + HOLE
    }
    masked += fill.repeat(offset - base - masked.length) + text.slice(offset, end)
  }
  const fill = String.fromCharCode(FIRST_FILL)
  for (const hole of holes.slice(next)) masked += fill.repeat(Math.max(0, hole - masked.length)) + HOLE
  return masked
}
