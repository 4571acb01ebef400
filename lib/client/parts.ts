// Parts of a page that come after the page itself: each is put between the two
// comments that hold its place, also in tables, lists of options and drawings.

const NAME = 'chirp-part'

/** Places parts as they arrive, and at once those that were there before the script. */
export function placeParts (): void {
  customElements.define(NAME, class extends HTMLElement {
    connectedCallback (): void {
      // The element comes behind a template, which is whole by then.
      const template = document.getElementById(`${NAME}-${this.getAttribute('for')}`) as HTMLTemplateElement | null
      if (template) place(template)
      this.remove()
    }
  })
}

/** Whether parts are still to come. While the page is loading, the place of one tells that. */
export function areParts (): boolean {
  return document.readyState === 'loading' && !!findComment('')
}

function place (template: HTMLTemplateElement): void {
  const start = findComment(`${NAME}:${template.id.slice(NAME.length + 1)}`)
  template.remove()
  // The element with the place may have been replaced by something newer.
  if (!start) return
  const parent = start.parentElement!
  // Drawings are made of elements of another kind than templates hold.
  const range = document.createRange()
  range.selectNodeContents(parent)
  const content = /\bhtml$|xhtml$/.test(parent.namespaceURI!) ? template.content : range.createContextualFragment(template.innerHTML)
  const added = [...content.children]
  const focused = document.activeElement as HTMLInputElement | null
  const end = `/${start.data}`
  const isInside = (node: Node | null): boolean => {
    for (let next = start.nextSibling; next && (next as Comment).data !== end; next = next.nextSibling) if (next.contains(node)) return true
    return false
  }
  const id = isInside(focused) && focused!.id
  const value = focused?.value
  while (start.nextSibling && (start.nextSibling as Comment).data !== end) start.nextSibling.remove()
  start.nextSibling?.remove()
  start.replaceWith(content)
  if (id) {
    const next = document.getElementById(id) as HTMLInputElement | null
    // Typed text stays.
    if (next && value != null && focused!.defaultValue !== value) next.value = value
    next?.focus({ preventScroll: true })
  }
  // htmx looks at the page when all of it is there.
  if (document.readyState === 'loading' || typeof htmx === 'undefined') return
  for (const element of added) {
    htmx.process(element)
    htmx.trigger(element, 'htmx:load')
  }
}

function findComment (data: string): Comment | undefined {
  const comments = document.createTreeWalker(document, NodeFilter.SHOW_COMMENT)
  while (comments.nextNode()) {
    const comment = comments.currentNode as Comment
    if (data ? comment.data === data : comment.data.startsWith(`${NAME}:`)) return comment
  }
}
