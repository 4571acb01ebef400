// What listens for an app, and what it needs.

/** A part that listens. */
export interface Listener {
  /** What it does with the messages of a diagnostics channel, by the channel's name. */
  readonly handlers: Readonly<Record<string, (message: never) => void>>
  stop (): void
}

/** What the parts need. */
export interface Host {
  /** Whether a message is about the app. */
  isOurs (message: unknown): boolean
  /** Calls the code of a provider, which may throw; what it throws is logged, the first time. */
  safely<T> (call: () => T): T | undefined
}
