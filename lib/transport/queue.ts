// Answers of pipelined requests that wait for their turn on a socket. Their
// responses hear nothing of it when it closes, so the socket tells them: by one
// listener, however many there are.
import type { Socket } from 'node:net'
import type { Destination } from './destination.js'

const kQueue = Symbol('fastify-chirp.queue')

/** An answer that waits for its turn. */
export interface Queued {
  /** The socket has closed. */
  closed (): void
}

interface Closing {
  readonly socket?: Socket | null
  on (event: 'close', listener: () => void): unknown
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

/** Forgets `stream`, and leaves no listener behind the last one. Does nothing the second time. */
export function dequeue (socket: QueueSocket, stream: Queued): void {
  const queue = socket[kQueue]
  if (queue?.delete(stream) !== true || queue.size !== 0) return
  socket[kQueue] = undefined
  socket.removeListener('close', onClose)
}

function onClose (this: QueueSocket): void {
  for (const stream of this[kQueue]!) stream.closed()
}

/** Whether the client has left already; the close event will not come again. */
export function isGone (response: Destination, socket: Socket | undefined): boolean {
  return response.destroyed === true || response.stream?.destroyed === true || socket?.destroyed === true
}

/** Closes the connection; of a response that waits for its turn, and has no socket yet, the socket that it waits for. */
export function cutOff (response: Pick<Destination, 'socket' | 'destroy'>, socket: Socket | undefined): void {
  if (response.socket === null) socket?.destroy()
  else response.destroy()
}

/** Calls `gone` when the response has closed, also where that waits for its turn. Gives how the socket forgets it. */
export function whenGone (response: Closing, socket: Socket | undefined, gone: () => void): () => void {
  response.on('close', gone)
  if (socket === undefined || response.socket === socket) return () => {}
  const queued = { closed: gone }
  enqueue(socket, queued)
  return () => { dequeue(socket, queued) }
}
