// An outlet in front of another one. It passes on every call that is not overridden.
import type { Dialect } from '../dialects/dialect.js'
import type { Entry } from '../message/entry.js'
import type { SharedFrames } from '../sse/frame.js'
import type { GapNotes, Ids, Outlet } from './feed.js'

export class Relay implements Outlet {
  protected readonly outlet: Outlet

  constructor (outlet: Outlet) {
    this.outlet = outlet
  }

  get dialect (): Dialect {
    return this.outlet.dialect
  }

  get isBlocked (): boolean {
    return this.outlet.isBlocked
  }

  get ids (): Ids | undefined {
    return this.outlet.ids
  }

  encode (value: unknown): string | Promise<string> {
    return this.outlet.encode(value)
  }

  isFull (frame: string): boolean {
    return this.outlet.isFull(frame)
  }

  send (frames: string, events: number): void {
    this.outlet.send(frames, events)
  }

  share (frames: SharedFrames, events: number): void {
    this.outlet.share(frames, events)
  }

  flush (): void {
    this.outlet.flush()
  }

  whenDrained (): Promise<void> {
    return this.outlet.whenDrained()
  }

  ended (): void {
    this.outlet.ended()
  }

  failed (error: unknown): void {
    this.outlet.failed(error)
  }

  failedLate (error: unknown): void {
    this.outlet.failedLate(error)
  }

  leave (reason: 'closed', frame: string): void {
    if (this.outlet.leave !== undefined) {
      this.outlet.leave(reason, frame)
      return
    }
    this.outlet.send(frame, 1)
    this.outlet.ended()
  }

  noteGap (): GapNotes | undefined {
    return this.outlet.noteGap?.()
  }

  noteReplayed (entries: readonly Entry[]): void {
    this.outlet.noteReplayed?.(entries)
  }

  noteLive (): void {
    this.outlet.noteLive?.()
  }
}
