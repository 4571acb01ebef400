// The events of an app with the plugin that other entries, such as fastify-chirp/otel, listen to: its registration, and when it
// closes. An app is known by its server, which all of its scopes share.

interface Life {
  isRegistered: boolean
  isClosed: boolean
  readonly listeners: Set<() => void>
}

const lives = new WeakMap<object, Life>()

/** The plugin is registered in an app with this server. */
export function noteRegistered (server: object): void {
  lifeOf(server).isRegistered = true
}

export function isRegistered (server: object): boolean {
  return lifeOf(server).isRegistered
}

/** The app has ended its streams and closes. */
export function noteClosed (server: object): void {
  const life = lifeOf(server)
  life.isClosed = true
  for (const listener of life.listeners) listener()
  life.listeners.clear()
}

/** Calls `listener` once the app closes, at once when it has; gives a function that stops that. */
export function whenClosed (server: object, listener: () => void): () => void {
  const { isClosed, listeners } = lifeOf(server)
  if (isClosed) listener()
  else listeners.add(listener)
  return () => { listeners.delete(listener) }
}

function lifeOf (server: object): Life {
  let life = lives.get(server)
  if (life === undefined) {
    life = { isRegistered: false, isClosed: false, listeners: new Set() }
    lives.set(server, life)
  }
  return life
}
