// The notes, in a file of one JSON object per line, so that a tab that comes
// back after a restart of the server can be sent what it has missed. A note is
// on the disk before anyone sees it.
import { readFileSync, truncateSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { Feed } from '../feed.js'
import { clock } from '../format.js'

// What a tab can have missed at most, and what a new page shows.
const KEEP = 1000
const ON_PAGE = 20

export class NoteStore {
  feed
  #file
  #seq
  // One write after the other, so that the file has the notes in their order.
  #written

  constructor (app, file) {
    const notes = load(file)
    const kept = notes.slice(-KEEP)
    this.#file = file
    this.#seq = notes.at(-1)?.seq ?? 0
    // The notes of earlier processes are in the channel too. Their ids are
    // their own numbers, so a tab may name one that it has from back then.
    this.feed = new Feed(app, 'notes', { block: 'note', swap: 'afterbegin', keep: KEEP, start: `note-${(kept[0]?.seq ?? this.#seq + 1) - 1}` })
    this.#written = Promise.all(kept.map(note => this.feed.add(readable(note))))
  }

  /** Resolves when the notes of the file can be sent. */
  async ready () {
    await this.#written
  }

  /** Writes a note down, then tells everyone. */
  add (text) {
    const saved = this.#written.then(async () => {
      const note = { seq: this.#seq + 1, text, at: new Date().toISOString() }
      await appendFile(this.#file, JSON.stringify(note) + '\n')
      this.#seq++
      await this.feed.add(readable(note))
    })
    // A full disk is an error for this note, not for the next.
    this.#written = saved.catch(() => {})
    return saved
  }

  /** What a new page shows, newest first. */
  latest () {
    return this.feed.newest(ON_PAGE).reverse()
  }
}

function load (file) {
  const text = readIfThere(file)
  // A process that was killed while it wrote leaves half a line behind. Nobody has seen that note.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole))
  return whole.split('\n').filter(Boolean).map(line => JSON.parse(line))
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
  return { ...note, id: `note-${note.seq}`, time: clock(new Date(note.at)) }
}
