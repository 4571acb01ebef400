// A stream has one id, and a tab sends the last one back when it reconnects.
// Two feeds share our stream, so the id says how far the tab has come in both:
// `12.lx3f9a.340` is note 12 and line 340 of the log of process lx3f9a.

/** @param {{ note: number, boot: string, line: number }} seen */
export function formatCursor ({ note, boot, line }) {
  return `${note}.${boot}.${line}`
}

/** What a tab has seen; undefined when the text is none of ours (it can be anything). */
export function parseCursor (text) {
  const match = /^(\d{1,15})\.([a-z0-9]{1,16})\.(\d{1,15})$/.exec(text)
  return match === null ? undefined : { note: Number(match[1]), boot: match[2], line: Number(match[3]) }
}
