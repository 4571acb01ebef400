// Numbers and times as people read them.

const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** 14:03:59 */
export function clock (milliseconds) {
  return TIME.format(milliseconds)
}

/** 640 B, 12 kB, 3.4 MB */
export function bytes (count) {
  if (count < 1000) return `${count} B`
  if (count < 1e6) return `${Math.round(count / 1000)} kB`
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(1)} GB`
}

/** 12 s, 4 min, 3 h 20 min, 2 d 5 h */
export function seconds (count) {
  if (count < 60) return `${Math.round(count)} s`
  const minutes = Math.floor(count / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
