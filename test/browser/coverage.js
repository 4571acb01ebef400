// Which parts of a script ran, by V8's own counts: in all pages of a test file
// together, and, by records that the files leave, in all of them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINE } from './browser.js'

const RECORDS = fileURLToPath(new URL('../../.tap/script-coverage/', import.meta.url))
// Of this run of tap, which starts the files and, after them, the check.
const FOLDER = `${RECORDS}${process.ppid}/`

/** Collects what pages that were covered tell of the script at `path`. */
export class ScriptCoverage {
  #path
  #source
  #ran = new Set()

  constructor (path) {
    this.#path = path
  }

  async start (page) {
    // Only Chromium counts.
    if (ENGINE !== 'chromium') return
    await page.coverage.startJSCoverage({ resetOnNavigation: false })
  }

  async stop (page) {
    if (ENGINE !== 'chromium') return
    for (const { url, source, functions } of await page.coverage.stopJSCoverage()) {
      // A page that was left at once may have lost it.
      if (source === undefined || new URL(url, 'http://x').pathname !== this.#path) continue
      this.#source = source
      // A range counts for what is in it, unless a smaller one inside knows better.
      const counts = new Array(source.length).fill(0)
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset)
      }
      for (const [offset, count] of counts.entries()) if (count > 0) this.#ran.add(offset)
    }
  }

  /** Leaves a record of this test file, when tap runs it with others. */
  save () {
    if (process.env.TAP_CHILD_ID === undefined) return
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(`${FOLDER}${basename(process.argv[1])}.json`, JSON.stringify({ source: this.#source, ran: [...this.#ran] }))
  }
}

/**
 * The pieces of the script that ran in none of `files`, each with the place where it is, and takes the records away.
 * Undefined when not all of these files have run `source`.
 */
export function missedIn (files, source) {
  const records = new Map(readRecords())
  rmSync(RECORDS, { recursive: true, force: true })
  if (!files.every(file => records.get(file)?.source === source)) return
  const ran = new Set(files.flatMap(file => records.get(file).ran))
  const pieces = []
  for (let offset = 0; offset < source.length; offset++) {
    if (ran.has(offset)) continue
    const start = offset
    while (offset < source.length && !ran.has(offset)) offset++
    pieces.push(`${source.slice(Math.max(0, start - 30), start)}>>>${source.slice(start, offset)}<<<`)
  }
  return pieces
}

function readRecords () {
  try {
    return readdirSync(FOLDER).map(name => [name.slice(0, -'.json'.length), JSON.parse(readFileSync(FOLDER + name, 'utf8'))])
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
