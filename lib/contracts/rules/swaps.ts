// The swap styles of htmx: the words of both generations.

/** Styles by their name, as the older generation calls them. */
const STYLES: Record<string, string> = Object.fromEntries([
  'innerHTML', 'outerHTML', 'textContent', 'beforebegin', 'afterbegin', 'beforeend', 'afterend', 'delete', 'none',
  'innerMorph', 'outerMorph', 'outerSync', 'upsert', 'morph'
].map(style => [style, style]).concat([['before', 'beforebegin'], ['prepend', 'afterbegin'], ['append', 'beforeend'], ['after', 'afterend']]))

const MODIFIERS = ['swap', 'settle', 'transition', 'ignoreTitle', 'scroll', 'show', 'focus-scroll', 'target', 'strip', 'style', 'swapEmpty', 'scrollTarget', 'showTarget', 'focusScroll']

/** The style that htmx uses by default. */
export const DEFAULT_STYLE = 'innerHTML'

/** The style in the value of hx-swap; the default when there is none. */
export function styleOf (value: string): string {
  const [first] = value.trim().split(/\s+/) as [string]
  const style = first === '' || isModifier(first) ? DEFAULT_STYLE : first
  return Object.hasOwn(STYLES, style) ? STYLES[style] as string : style
}

/** A word of a value that htmx may not know, and what there is in its place. */
export function strangeWords (value: string): Array<{ word: string, known: readonly string[] }> {
  return value.trim().split(/\s+/).flatMap((word, index) => {
    if (word.includes(':')) return isModifier(word) ? [] : [{ word: word.split(':')[0] as string, known: MODIFIERS }]
    return index > 0 || Object.hasOwn(STYLES, word) ? [] : [{ word, known: Object.keys(STYLES) }]
  })
}

function isModifier (word: string): boolean {
  return MODIFIERS.includes(word.split(':')[0] as string) && word.includes(':')
}
