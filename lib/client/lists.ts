// Lists that a stream appends to: an item that is there already is replaced
// where it is, and `chirp-limit` says how many there may be.

/** Has htmx replace a child of a list, or remove it. */
export type Change = (child: Element, replacement?: DocumentFragment) => void

/**
 * Called before htmx appends `content` to `list`, in a way (`style`) that may be
 * another: takes out of the content what has another place or none.
 */
export function tend (list: Element, style: string, content: ParentNode, change: Change): void {
  const isEnd = style === 'beforeend'
  if (!isEnd && style !== 'afterbegin') return
  const items = [...content.children].filter(item => {
    // Is for another place.
    if (item.matches('[hx-swap-oob], template[hx]')) return false
    // Found by its id, and not by looking through the list.
    const known = item.id && list.querySelector(`:scope > #${CSS.escape(item.id)}`)
    if (!known) return true
    const replacement = new DocumentFragment()
    replacement.append(item)
    change(known, replacement)
    return false
  })
  const limit = +list.getAttribute('chirp-limit')!
  let surplus = limit > 0 ? list.childElementCount + items.length - limit : 0
  let child = isEnd ? list.firstElementChild : list.lastElementChild
  while (surplus-- > 0) {
    if (child) {
      const text = isEnd ? child.previousSibling : child.nextSibling
      const next: Element | null = isEnd ? child.nextElementSibling : child.previousElementSibling
      if (text?.nodeType === Node.TEXT_NODE) (text as Text).remove()
      change(child)
      child = next
    } else {
      // More at once than there may be.
      (isEnd ? items.shift() : items.pop())!.remove()
    }
  }
}
