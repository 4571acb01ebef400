// Streams of pipelined requests that wait for their turn on a socket. Their
// responses hear nothing of it when it closes, so the socket tells them: by one
// listener, however many there are.
import type { Socket } from 'node:net'

const kQueue = Symbol('fastify-chirp.queue')

/** A stream that waits for its turn. */
export interface Queued {
  /** The socket has closed. */
  closed (): void
}

type QueueSocket = Socket & { [kQueue]?: Set<Queued> }

/** Tells `stream` when `socket` closes. */
export function enqueue (socket: QueueSocket, stream: Queued): void {
  if (socket[kQueue] === undefined) {
    socket[kQueue] = new Set()
    socket.on('close', onClose)
  }
  socket[kQueue].add(stream)
}

/** Forgets `stream`, and leaves no listener behind the last one. */
export function dequeue (socket: QueueSocket, stream: Queued): void {
  socket[kQueue]!.delete(stream)
  if (socket[kQueue]!.size !== 0) return
  socket[kQueue] = undefined
  socket.removeListener('close', onClose)
}

function onClose (this: QueueSocket): void {
  for (const stream of this[kQueue]!) stream.closed()
}
