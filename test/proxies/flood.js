// A client that does not read a stream which does not end by itself.
import { until } from '../helpers/app.js'
import { closeLines } from '../helpers/raw.js'
import { ask } from './client.js'

/** Why the app's stream ended: `writeTimeout`, or `end` when somebody has taken all of it. */
export async function floods (station, protocol = 'HTTP/1.1') {
  const before = closeLines(station.app).length
  const { close } = await ask(station, protocol, '/flood')
  await until(() => closeLines(station.app).length > before, 'the stream is over')
  close()
  return closeLines(station.app).at(-1).reason
}
