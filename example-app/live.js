// The one stream of the page: machine, notes and log together, because a
// browser opens only six connections to a server over HTTP/1.1, for all tabs.
import { Fragment } from 'fastify-chirp'
import { formatCursor, parseCursor } from './cursor.js'

const PAGE = 'station.html'

/**
 * A source for `reply.eventStream()`. Nothing is lost and nothing comes twice:
 * it listens first, then sends what the tab has missed, then what is new, and
 * `seen` knows what went out already.
 */
export async function * liveEvents ({ hub, log, machine, notes }, { signal, lastEventId }) {
  const values = hub.subscribe(signal)
  machine.watch(signal)

  const seen = parseCursor(lastEventId) ?? startOfPage(notes)
  // Another process wrote the lines that the tab has; ours count from one.
  if (seen.boot !== log.boot) Object.assign(seen, { boot: log.boot, line: 0 })

  yield machineFragment(machine.context())
  for (const note of notes.after(seen.note)) yield noteFragment(note, seen)
  for (const line of log.after(seen.line)) yield lineFragment(line, seen)

  for await (const [topic, value] of values) {
    if (topic === 'machine') yield machineFragment(value)
    if (topic === 'note' && value.seq > seen.note) yield noteFragment(value, seen)
    if (topic === 'line' && value.seq > seen.line) yield lineFragment(value, seen)
  }
}

// The machine's readings have no id: only the newest one counts.
function machineFragment (context) {
  return new Fragment(PAGE, 'machine', context, { target: 'machine' })
}

function noteFragment (note, seen) {
  seen.note = note.seq
  return new Fragment(PAGE, 'note', { note }, { target: 'note', id: formatCursor(seen) })
}

function lineFragment (line, seen) {
  seen.line = line.seq
  return new Fragment(PAGE, 'line', { line }, { target: 'line', id: formatCursor(seen) })
}

// Without a cursor, such as from curl: what a new page would show.
function startOfPage (notes) {
  return { note: (notes.latest().at(-1)?.seq ?? 1) - 1, boot: '', line: 0 }
}
