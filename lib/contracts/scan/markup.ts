// Finds the tags in a template's text. What Nunjucks replaces is masked, so
// that the tokenizer's offsets are those of the template.
import { Tokenizer, TokenizerMode, type Token } from 'parse5'
import { MOST_ATTRIBUTES, TooLarge } from '../limits.js'
import { bodiesOf, type Attribute, type Element, type Part, type Tag, type Text } from './parts.js'
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

/** What a region of a template has besides its tags. */
export interface Region {
  hasDoctype: boolean
  /** The text of its scripts. */
  scripts: string
}

/** Finds the tags of some parts and puts them there; says of statements whether they are opaque. */
export function tokenize (parts: Part[], text: string, template: string): Region {
  const all = flatten(parts)
  const texts = all.filter(part => part.kind === 'text')
  const statements = all.filter(part => part.kind !== 'text')
  const calls = new Map(statements.filter(part => part.kind === 'call').map(call => [call.offset, call]))
  const region: Region = { hasDoctype: false, scripts: '' }
  if (texts.length === 0) return region
  const base = (texts[0] as Text).offset
  const opaque: Range[] = []
  let textElement: { name: string, start: number } | undefined

  const tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, {
    onStartTag (token) {
      const { start, end } = note(token)
      const name = token.tagName.split(FILL)[0] as string
      if (token.attrs.length > MOST_ATTRIBUTES) throw new TooLarge(`a tag has more than ${MOST_ATTRIBUTES} attributes`, start)
      place({ kind: 'open', name, template, offset: start, selfClosing: token.selfClosing, ...attributesOf(token, start, end) }, start)
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
      place({ kind: 'close', name: token.tagName.split(FILL)[0] as string, offset: start }, start)
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
  tokenizer.write(mask(texts, statements, text, base), true)
  opaque.sort((a, b) => a.start - b.start)
  for (const statement of statements) {
    const around = opaque[lastIndex(opaque, ({ start }) => start < statement.offset)]
    statement.opaque = around !== undefined && statement.offset < around.end
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

  function place (tag: Tag, start: number): void {
    textAt(start).tags.push(tag)
  }

  function attributesOf (token: Token.TagToken, start: number, end: number): Pick<Element, 'attributes' | 'dynamic'> {
    const { scope } = textAt(start)
    const { attrs: locations = {} } = token.location as Token.LocationWithAttributes
    const attributes: Attribute[] = []
    let dynamic = false
    for (const { name: masked, value } of token.attrs) {
      const { startOffset, endOffset } = locations[masked] as Token.Location
      const names = masked.split(FILL)
      const written = names.findLast(name => name !== '') ?? ''
      if (names.some(mayBeOurs)) {
        for (const { index } of masked.matchAll(HOLES)) {
          const printed = printedAt(startOffset + base + index, scope)
          if (printed === undefined) dynamic = true
          else attributes.push(...printed)
        }
      }
      if (written === '' || written.includes(HOLE)) continue
      const offset = startOffset + base + masked.lastIndexOf(written)
      const around = textAt(offset).scope
      const attribute = {
        name: written.replace(/^data-(?=hx-|sse-)/, ''), written, values: [clip(value)], offset, conditional: around !== scope, isPrinted: false
      }
      attributes.push(attribute)
      if (!FILL.test(value) && !value.includes(HOLE)) continue
      // Most attributes are of no interest.
      let values: readonly string[] | undefined
      const read = () => (values ??= valuesBetween(around, text, offset + written.length, endOffset + base))
      Object.defineProperty(attribute, 'values', { get: read })
    }
    return { attributes, dynamic }
  }

  // The attributes of a call of the plugin's functions; undefined if the statement is none.
  function printedAt (offset: number, scope: readonly Part[]): Attribute[] | undefined {
    const call = calls.get(offset)
    return call && printedBy(call, call.scope !== scope)
  }
}

// An expression that prints `hx-...` or `sse-...` for all that is known.
function mayBeOurs (name: string): boolean {
  const hole = name.indexOf(HOLE)
  return hole !== -1 && /^(?:data-?)?(?:hx|sse|id|href|action|$)/.test(name.slice(0, hole))
}

function flatten (parts: readonly Part[], all: Part[] = []): Part[] {
  for (const part of parts) {
    all.push(part)
    for (const body of bodiesOf(part)) flatten(body, all)
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
  return masked
}
