// https://nodejs.org/api/diagnostics_channel.html
import diagnostics from 'node:diagnostics_channel'

export const openChannel = diagnostics.channel('fastify-chirp:stream:open')
export const closeChannel = diagnostics.channel('fastify-chirp:stream:close')
export const errorChannel = diagnostics.channel('fastify-chirp:stream:error')
