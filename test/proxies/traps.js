// What goes wrong behind a proxy that takes more than its client does, or that gives less than it has.
import { quiet, until } from '../helpers/app.js'
import { closeLines } from '../helpers/raw.js'
import { ask } from './client.js'

/** Why the stream of a client that does not read ended: `end` when somebody has taken all of it. */
export async function floods (station, protocol = 'HTTP/1.1') {
  const before = closeLines(station.app).length
  const { close } = await ask(station, protocol, '/flood')
  await until(() => closeLines(station.app).length > before, 'the stream is over')
  close()
  return closeLines(station.app).at(-1).reason
}

/** Whether nothing of a stream comes before it has ended. */
export async function holds (station) {
  let isEnding = false
  let isHeld = true
  const whole = ask(station, 'HTTP/1.1', '/held').then(answer => {
    answer.body.once('data', () => { isHeld = isEnding })
    return answer.read()
  })
  await until(() => station.held.opened === 1, 'it is open')
  station.held.give('one')
  await quiet(500)
  isEnding = true
  station.held.end()
  // With all that there is.
  return isHeld && (await whole).length > 0
}
