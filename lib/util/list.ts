// A doubly linked list through its items. A Set would hash each item and keep
// an entry for it; with thousands of short streams that is what connecting
// costs most after the system calls.

/** What an item of a list carries: its neighbours, undefined when it is in none. */
export interface Linked {
  before: Linked | undefined
  after: Linked | undefined
}

/** An item is in one list at most. */
export class List<T extends Linked> implements Linked {
  // The list is a ring, and this is its seam.
  before: Linked = this
  after: Linked = this

  /** The first item. */
  get first (): T | undefined {
    return this.after === this ? undefined : this.after as T
  }

  add (item: T): void {
    item.before = this.before
    item.after = this
    this.before.after = item
    this.before = item
  }

  /** All items; the one that is given may leave the list meanwhile. */
  * [Symbol.iterator] (): Generator<T> {
    for (let item = this.after; item !== this;) {
      const current = item
      item = item.after!
      yield current as T
    }
  }
}

/** Takes an item out of its list; false when it was in none. */
export function unlink (item: Linked): boolean {
  const { before, after } = item
  if (before === undefined || after === undefined) return false
  before.after = after
  after.before = before
  item.before = item.after = undefined
  return true
}
