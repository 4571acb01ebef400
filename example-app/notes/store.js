// The notes, in a file of one JSON object per line, so that a tab that comes
// back after a restart of the server can be sent what it has missed. A note is
// on the disk before anyone sees it.
import { readFileSync, truncateSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { clock } from '../format.js'

// What a tab can have missed at most, and what a new page shows.
const KEEP = 1000
const ON_PAGE = 20

export class NoteStore {
  #file
  #hub
  #notes
  // One write after the other, so that the file has the notes in their order.
  #written = Promise.resolve()

  constructor (file, hub) {
    this.#file = file
    this.#hub = hub
    this.#notes = load(file).slice(-KEEP)
  }

  /** Writes a note down, then tells everyone. */
  add (text) {
    const saved = this.#written.then(async () => {
      const note = { seq: this.lastSeq + 1, text, at: new Date().toISOString() }
      await appendFile(this.#file, JSON.stringify(note) + '\n')
      this.#notes.push(readable(note))
      if (this.#notes.length > KEEP) this.#notes.shift()
      this.#hub.publish('note', this.#notes.at(-1))
    })
    // A full disk is an error for this note, not for the next.
    this.#written = saved.catch(() => {})
    return saved
  }

  get lastSeq () {
    return this.#notes.at(-1)?.seq ?? 0
  }

  /** The notes after number `seq`, oldest first. */
  after (seq) {
    // A number that we never gave out: the file was removed, all of it is new.
    return seq > this.lastSeq ? [...this.#notes] : this.#notes.filter(note => note.seq > seq)
  }

  /** What a new page shows, newest first. */
  latest () {
    return this.#notes.slice(-ON_PAGE).reverse()
  }
}

function load (file) {
  const text = readIfThere(file)
  // A process that was killed while it wrote leaves half a line behind. Nobody has seen that note.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole))
  return whole.split('\n').filter(Boolean).map(line => readable(JSON.parse(line)))
}

function readIfThere (file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

function readable (note) {
  return { ...note, time: clock(new Date(note.at)) }
}
