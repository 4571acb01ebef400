// A list that everyone edits together. It keeps the data, and says what has
// changed; the live view sends the block that reads it.
const LONGEST = 80
const MOST = 30
const AT_FIRST = ['Open this page in two windows', 'Change a line in one of them', 'Look at the other']

export class Errands {
  view
  // One number, in several places of the page.
  left
  #errands = AT_FIRST.map((text, n) => ({ id: n + 1, text, isDone: false }))
  #lastId = AT_FIRST.length

  constructor (app) {
    this.view = app.liveView('errands', {
      template: 'station.html',
      context: () => this.context(),
      // Morphed into the page, so that the text in a line that a user is typing in stays.
      blocks: [{ block: 'errands', swap: 'innerMorph' }]
    })
    this.left = app.signal('errands-left', { initial: this.#countLeft() })
  }

  /** The list as a source of events. */
  get source () {
    return this.view.source('all')
  }

  /** What the block `errands` needs. */
  context () {
    return { errands: this.#errands, longestErrand: LONGEST }
  }

  /** Adds a line to write in. */
  async add () {
    if (this.#errands.length === MOST) return
    this.#errands.push({ id: ++this.#lastId, text: '', isDone: false })
    await this.#tell()
  }

  /** A line that is emptied is gone. False when there is no such line, or the text is too long. */
  async change (id, { text, isDone }) {
    const errand = this.#errands.find(errand => errand.id === id)
    if (errand === undefined || text.length > LONGEST) return false
    if (text === '') this.#errands = this.#errands.filter(other => other !== errand)
    else Object.assign(errand, { text, isDone })
    await this.#tell()
    return true
  }

  #countLeft () {
    return this.#errands.filter(({ isDone }) => !isDone).length
  }

  async #tell () {
    await Promise.all([this.view.changed('all', ['errands']), this.left.set(this.#countLeft())])
  }
}
