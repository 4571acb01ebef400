// The names of topics in an engine. Whatever the names of an app's channels,
// none of them collides with a topic of the plugin.

const OWN = 'chirp:'

/** The messages between registrations that share an engine. */
export const CONTROL_TOPIC = `${OWN}control`

/** The newest values of signals. */
export const SIGNALS_TOPIC = `${OWN}signals`

/** The topic of `app.channel(name)`: its name. */
export function channelTopic (name: string): string {
  return name.startsWith(OWN) ? `${OWN}channel:${name}` : name
}

/** Which jobs run, and where. */
export const JOBS_TOPIC = `${OWN}jobs`

/** The members of `app.channel(name)`. */
export function presenceTopic (name: string): string {
  return `${OWN}presence:${name}`
}

/** The topic of one run of a job. A job that takes the id of an older one shares nothing with it. */
export function jobTopic (id: string, run: string): string {
  return `${OWN}job:${id}:${run}`
}

/** The changes of one key of a live view. The length tells where the name ends. */
export function liveTopic (view: string, key: string): string {
  return `${OWN}live:${view.length}:${view}:${key}`
}
