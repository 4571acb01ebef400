// Notices a connection that is cut without notice: a server with this plugin sends at least a comment at every heartbeat.

/** Of a server that does not say. */
const HEARTBEAT = '15000'

/** The waits of one element, over all connections. */
export interface Silence {
  /** Something has to come from now on; `isFirst` when a request leaves. */
  wait (isFirst?: boolean): void
  /** An answer has come. */
  answered (response: Response): void
  /** Something has come, or there is nothing to wait for. */
  heard (text?: string): void
  /** To be called twice in a second. */
  look (): void
}

/** `giveUp` is called when nothing has come for two and a half heartbeats; `name` is for the console. */
export function watchSilence (name: string, giveUp: () => void): Silence {
  let since = 0
  let looks = 0
  let isFirst: boolean | undefined
  let hasWarned = false
  let heartbeat = 0
  // Milliseconds; 0 for a server that may be another one, and have no heartbeats.
  let patience = 0
  // Longer each time, as a heartbeat that cannot be read may be longer.
  let doubt = 1
  // Of requests in a row that nothing answers: a browser keeps connections, and all of them may be cut.
  let tries = 1
  return {
    wait (first) {
      isFirst ||= first
      since = Date.now()
      looks = 0
    },
    answered ({ headers }) {
      heartbeat = +(headers.get('chirp-heartbeat') ?? HEARTBEAT)
    },
    heard (text) {
      if (text) {
        if (isFirst) patience = /^(event: chirp:|: )open/.test(text) ? heartbeat * 2.5 : 0
        else if (Date.now() - since < patience) doubt = 1
        isFirst = false
        tries = 1
      }
      since = 0
    },
    look () {
      const silence = since && Date.now() - since
      if (isFirst && silence > 10000 && !hasWarned) {
        hasWarned = true
        console.warn(`chirp: nothing comes from ${name}. Does a proxy hold it back?`)
      }
      // A page that slept or was busy looks first whether something has come meanwhile.
      if (patience && silence > (isFirst ? Math.min(patience, 10000) * tries : patience * doubt) && ++looks > 3) {
        if (isFirst) tries++
        else doubt = Math.min(doubt * 2, 16)
        giveUp()
      }
    }
  }
}
