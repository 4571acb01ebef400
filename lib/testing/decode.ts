// Bodies that are compressed, for a client that has asked for it.
import type { IncomingHttpHeaders } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip } from 'node:zlib'

const DECODERS: Record<string, () => ReturnType<typeof createGunzip | typeof createBrotliDecompress>> = {
  br: createBrotliDecompress,
  // One that is cut off is read as far as it came.
  gzip: () => createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
}

/** A body as it was before it was compressed. */
export function decoded (body: Readable, headers: IncomingHttpHeaders): Readable {
  const decoder = DECODERS[String(headers['content-encoding'])]
  return decoder === undefined ? body : pipeline(body, decoder(), ignore)
}

// Who closes a connection is told so by an error.
function ignore (): void {}
