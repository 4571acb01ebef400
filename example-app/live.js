// The one stream of the page: all channels together, because a browser opens
// only six connections to a server over HTTP/1.1, for all tabs.
import { merge } from 'fastify-chirp'

/**
 * A source for `reply.eventStream()`. A tab that comes back brings an id that
 * holds its place in each channel, and the channels replay from there. One
 * that comes first, or again after a gap, has in the address what it shows.
 */
export function liveEvents ({ log, machine, notes, people }, { lastEventId, request, signal }) {
  people.join(request.cookies.visitor ?? request.id, signal)
  const { note, line } = request.query
  const follow = (feed, shown) => feed.channel.subscribe({ lastEventId: lastEventId === '' ? feed.resume(shown) : undefined })
  return merge(follow(notes.feed, note), follow(log.feed, line), machine.channel, people.channel)
}
