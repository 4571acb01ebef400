// The table behind replay.js: rows of { id, text } in the order of their ids.
// SQLite where Node.js brings it (22.13 and later), else a file of JSON lines,
// which only one process may write.
import { EventEmitter } from 'node:events'
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'

/** The store in `file`. It emits `change` when there are new rows. */
export async function openStore (file) {
  const sqlite = await importSqlite()
  return sqlite === undefined ? new FileStore(file) : new SqliteStore(sqlite, file)
}

class SqliteStore extends EventEmitter {
  #db

  constructor ({ DatabaseSync }, file) {
    super()
    const db = this.#db = new DatabaseSync(file)
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA busy_timeout = 2000;
      CREATE TABLE IF NOT EXISTS news (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)`)
    // SQLite counts the writes of other processes here, and has no callback for them.
    const version = db.prepare('PRAGMA data_version')
    let { data_version: known } = version.get()
    setInterval(() => {
      const { data_version: now } = version.get()
      if (now !== known) this.emit('change')
      known = now
    }, 500).unref()
  }

  get lastId () {
    return this.#db.prepare('SELECT max(id) AS id FROM news').get().id ?? 0
  }

  add (text) {
    this.#db.prepare('INSERT INTO news (text) VALUES (?)').run(text)
    this.emit('change')
  }

  after (id) {
    return this.#db.prepare('SELECT id, text FROM news WHERE id > ? ORDER BY id').all(id)
  }
}

class FileStore extends EventEmitter {
  #file
  #rows

  constructor (file) {
    super()
    this.#file = file
    this.#rows = load(file)
  }

  get lastId () {
    return this.#rows.at(-1)?.id ?? 0
  }

  add (text) {
    const row = { id: this.lastId + 1, text }
    // On the disk before anyone sees it.
    appendFileSync(this.#file, JSON.stringify(row) + '\n')
    this.#rows.push(row)
    this.emit('change')
  }

  after (id) {
    return this.#rows.filter(row => row.id > id)
  }
}

function load (file) {
  const text = readIfThere(file)
  // A process that was killed while it wrote leaves half a line behind.
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

async function importSqlite () {
  try {
    return await import('node:sqlite')
  } catch (error) {
    if (error.code === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined
    throw error
  }
}
