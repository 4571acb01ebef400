// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5
import type { FastifyReply } from 'fastify'

/** Adds header names to `Vary`, keeping what others have put there. */
export function addVary (reply: FastifyReply, names: string): void {
  const present = reply.getHeader('vary')
  if (present === '*') return
  reply.header('vary', present === undefined ? names : `${String(present)}, ${names}`)
}
