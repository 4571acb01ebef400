// A doubly linked list through its items. A Set would hash each item and keep
// an entry for it; with thousands of short streams that is what connecting
// costs most after the system calls.

/** The fields of an item of a list: its neighbours, undefined when it is in none. */
export interface Linked {
  previous: Linked | undefined
  next: Linked | undefined
}

/** An item is in one list at most. */
export class List<T extends Linked> implements Linked {
  // The list is a ring, and this is its seam.
  previous: Linked = this
  next: Linked = this

  /** The first item. */
  get first (): T | undefined {
    return this.next === this ? undefined : this.next as T
  }

  add (item: T): void {
    item.previous = this.previous
    item.next = this
    this.previous.next = item
    this.previous = item
  }

  /** All items; the one that is given may leave the list meanwhile. */
  * [Symbol.iterator] (): Generator<T> {
    for (let item = this.next; item !== this;) {
      const current = item
      item = item.next!
      yield current as T
    }
  }
}

/** Takes an item out of its list; false when it was in none. */
export function unlink (item: Linked): boolean {
  const { previous, next } = item
  if (previous === undefined || next === undefined) return false
  previous.next = next
  next.previous = previous
  item.previous = item.next = undefined
  return true
}
