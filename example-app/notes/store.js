// The notes, in a file of one JSON object per line. A note is on the disk
// before anyone sees it, so a page has it after a restart of the server too.
import { readFileSync, truncateSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { Fragment } from 'fastify-chirp'
import { clock } from '../format.js'

// What a new page shows.
const ON_PAGE = 20

export class NoteStore {
  channel
  #file
  #seq
  // Newest first.
  #latest
  // One write after the other, so that the file has the notes in their order.
  #written

  constructor (app, file) {
    const notes = load(file)
    this.channel = app.channel('notes')
    this.#file = file
    this.#seq = notes.at(-1)?.seq ?? 0
    this.#latest = notes.slice(-ON_PAGE).reverse().map(readable)
  }

  /** Writes a note down, then tells everyone. */
  add (text) {
    const saved = Promise.resolve(this.#written).then(async () => {
      const saved = { seq: this.#seq + 1, text, at: new Date().toISOString() }
      await appendFile(this.#file, JSON.stringify(saved) + '\n')
      this.#seq++
      const note = readable(saved)
      // First into the list: a page that is opened in between has the note, and its stream brings it in the same place.
      this.#latest = [note, ...this.#latest].slice(0, ON_PAGE)
      await this.channel.publish(new Fragment('station.html', 'note', { note }, { target: 'notes', swap: 'afterbegin' }))
    })
    // A full disk is an error for this note, not for the next.
    this.#written = saved.catch(() => {})
    return saved
  }

  /** What a new page shows, newest first. */
  latest () {
    return this.#latest
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
