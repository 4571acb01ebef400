// A page that comes in parts, as a browser has it in the end.

/** The result of {@link TestClient.page}. */
export interface PageResult {
  status: number
  /** The page with its parts in their places, as it is when all has arrived. */
  html: string
  /** The pieces in the order of their arrival: the shell, and then each part. */
  chunks: string[]
}

const PART = /<template id="chirp-part-([\w-]+)">/g

/** Puts the parts of a page where they belong. */
export function assemble (text: string): string {
  let shell = ''
  let at = 0
  const parts: Array<[string, string]> = []
  PART.lastIndex = 0
  for (let found = PART.exec(text); found !== null; found = PART.exec(text)) {
    const id = found[1]!
    const end = `</template><chirp-part for="${id}"></chirp-part>`
    const to = text.indexOf(end, PART.lastIndex)
    if (to === -1) break
    shell += text.slice(at, found.index)
    parts.push([id, text.slice(PART.lastIndex, to)])
    at = PART.lastIndex = to + end.length
  }
  return parts.reduce((html, [id, content]) => {
    const [open, close] = [`<!--chirp-part:${id}-->`, `<!--/chirp-part:${id}-->`]
    const start = html.indexOf(open)
    const to = html.indexOf(close, start)
    return start === -1 || to === -1 ? html : html.slice(0, start) + content + html.slice(to + close.length)
  }, shell + text.slice(at))
}
