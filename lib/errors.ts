// Every error that the plugin throws on purpose. One table: docs/reference/errors.md
// lists the same codes and a test compares the two. A retired code is not
// used again.
import createError from '@fastify/error'

/** The last argument of every constructor below: what went wrong underneath. */
interface Cause { cause: unknown }

/** A value was given to an option that cannot take it, or the option does not exist. */
export const FST_CHIRP_OPTION = createError<[string, Cause?]>('FST_CHIRP_OPTION',
  'fastify-chirp: %s', 500, TypeError)

export const FST_CHIRP_REGISTERED = createError<[Cause?]>('FST_CHIRP_REGISTERED',
  'fastify-chirp is registered in this scope already. Register it once, with all options; for a part of the app that needs others register it again in that part: app.register(async scope => { await scope.register(chirp, options) })', 500)

export const FST_CHIRP_EVENT = createError<[string, Cause?]>('FST_CHIRP_EVENT',
  'Cannot make an SSEEvent: %s', 500, TypeError)

export const FST_CHIRP_FRAGMENT = createError<[string, string, Cause?]>('FST_CHIRP_FRAGMENT',
  'Cannot make %s: %s', 500, TypeError)

export const FST_CHIRP_VALUE = createError<[string, Cause?]>('FST_CHIRP_VALUE',
  'Cannot send this value: %s', 500, TypeError)

export const FST_CHIRP_SOURCE = createError<[string, Cause?]>('FST_CHIRP_SOURCE',
  'Cannot stream from %s. Give reply.eventStream() an async iterable (such as an async generator), an iterable, a Node.js Readable, a web ReadableStream, or a function that returns one of these', 500, TypeError)

export const FST_CHIRP_ALREADY_SENT = createError<[string, Cause?]>('FST_CHIRP_ALREADY_SENT',
  'Cannot start an event stream on %s: this reply was already sent. Call reply.eventStream() once, and merge several sources into one', 500)

export const FST_CHIRP_NOT_ACCEPTABLE = createError<[string, Cause?]>('FST_CHIRP_NOT_ACCEPTABLE',
  'This route answers with text/event-stream, which "Accept: %s" refuses. Add text/event-stream to the Accept header', 406)

export const FST_CHIRP_REQUEST_GONE = createError<[Cause?]>('FST_CHIRP_REQUEST_GONE',
  'The request of a closed stream is gone. Read context.request before the stream closes, for example by destructuring it', 500)

export const FST_CHIRP_LIVE = createError<[string, Cause?]>('FST_CHIRP_LIVE',
  'Cannot tell where the stream of a page goes on: %s', 500)

export const FST_CHIRP_DEFER = createError<[string, Cause?]>('FST_CHIRP_DEFER',
  'A deferred value is not there: %s', 504)

export const FST_CHIRP_FORBIDDEN = createError<[string, Cause?]>('FST_CHIRP_FORBIDDEN',
  'Live view "%s": the option "authorize" refused this request', 403)

export const FST_CHIRP_SIGNAL = createError<[string, Cause?]>('FST_CHIRP_SIGNAL',
  'Cannot use a signal: %s', 500)

export const FST_CHIRP_CHANNEL_CLOSED = createError<[string, Cause?]>('FST_CHIRP_CHANNEL_CLOSED',
  'Channel "%s" is closed. Publish before the app closes, and close() a channel only when the app no longer needs it', 500)

export const FST_CHIRP_CLOSING = createError<[string, Cause?]>('FST_CHIRP_CLOSING',
  'The app closes, and live view "%s" does not answer any more. Ask again: the next process answers', 503)

export const FST_CHIRP_ID = createError<[string, string, Cause?]>('FST_CHIRP_ID',
  'Cannot publish an event with the id %s: %s. Give each event of a channel an id that no other one has', 500)

export const FST_CHIRP_BEHIND = createError<[string, number, Cause?]>('FST_CHIRP_BEHIND',
  'A subscription of channel "%s" fell more than %d bytes behind. Take events as they arrive, and subscribe again from the last id', 500)

export const FST_CHIRP_ENGINE = createError<[string, string, Cause?]>('FST_CHIRP_ENGINE',
  'The engine of the channels failed in %s: %s. See error.cause, and publish again what is still needed', 500)

export const FST_CHIRP_JOB = createError<[string, string, Cause?]>('FST_CHIRP_JOB',
  'Cannot start job %s: %s', 503)

export const FST_CHIRP_NO_TEMPLATES = createError<[string, string, Cause?]>('FST_CHIRP_NO_TEMPLATES',
  'Cannot render "%s": no templates are configured. Register the plugin with { templates: \'%s\' } or with a nunjucks.Environment', 500)

export const FST_CHIRP_TEMPLATE_NAME = createError<[string, string, Cause?]>('FST_CHIRP_TEMPLATE_NAME',
  'Cannot load template %s: %s', 500)

export const FST_CHIRP_TEMPLATE_NOT_FOUND = createError<[string, string, Cause?]>('FST_CHIRP_TEMPLATE_NOT_FOUND',
  'Template "%s" was not found%s', 500)

export const FST_CHIRP_BLOCK_NOT_FOUND = createError<[string, string, string, Cause?]>('FST_CHIRP_BLOCK_NOT_FOUND',
  'Template "%s" has no block "%s"; it has %s', 500)

export const FST_CHIRP_RENDER = createError<[string, string, Cause?]>('FST_CHIRP_RENDER',
  'Cannot render %s: %s', 500)

export const FST_CHIRP_RENDER_TIMEOUT = createError<[string, number, Cause?]>('FST_CHIRP_RENDER_TIMEOUT',
  'Cannot render %s: an async filter, tag or loader did not call back within %d ms. Make it call back on every path, with an error if it must', 500)

export const FST_CHIRP_CONTEXT_TIMEOUT = createError<[string, number, Cause?]>('FST_CHIRP_CONTEXT_TIMEOUT',
  'The function "context" of live view "%s" gave nothing for %d ms. Its signal is aborted, and it is called again. Let it fail when a service that it asks does not answer', 500)
