// The viewer of a reader, as the text by which viewers are told apart.
import { FST_CHIRP_OPTION } from '../errors.js'
import { canonicalJSON, plainJSON } from '../sse/plain.js'
import { messageOf } from '../util/thrown.js'

// It is compared for each event.
const MAX_LENGTH = 4096

/**
 * The JSON of a viewer, the same for equal viewers; undefined for none.
 *
 * @throws FST_CHIRP_OPTION for something that is not plain data, or too long.
 */
export function viewerKey (viewer: unknown, option = 'option "viewer" of channel.subscribe()'): string | undefined {
  if (viewer === undefined) return undefined
  let json: string
  try {
    json = plainJSON(viewer)
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`${option} must be plain data, such as { role: 'admin' }, and ${messageOf(cause)}`, { cause })
  }
  if (json.length > MAX_LENGTH) {
    throw new FST_CHIRP_OPTION(`${option} has ${json.length} characters as JSON, and ${MAX_LENGTH} are allowed. Give what the templates read, such as { role: 'admin' }`)
  }
  return canonicalJSON(JSON.parse(json))
}
