// A part that listens for an app, and its needs.

/** A part that listens. */
export interface Listener {
  /** Its listeners, by the name of the diagnostics channel. */
  readonly handlers: Readonly<Record<string, (message: never) => void>>
  stop (): void
}

/** The tools of the parts. */
export interface Host {
  /** Whether a message is about the app. */
  isOurs (message: unknown): boolean
  /** Calls the code of a provider, which may throw; what it throws is logged, the first time. */
  safely<T> (call: () => T): T | undefined
}
