// The source of a stream: one key of a live view, for one request.
import type { FastifyRequest } from 'fastify'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import type { MaybePromise } from '../util/promise.js'
import { Follower, type FollowerHost, type Since } from './follower.js'
import type { LiveKey } from './key.js'

/** The parts of its view that a source needs. */
export interface SourceHost {
  open (key: string): LiveKey
  isAllowed (request: FastifyRequest | undefined, key: string): MaybePromise<boolean>
  viewerOf (request: FastifyRequest | undefined): MaybePromise<string | undefined>
}

/** The facts about a request before there is a stream. */
export interface Granted {
  live: LiveKey
  rechecks: number
  viewer: string | undefined
}

/** The result of `view.source()`, for `reply.eventStream()`, `reply.page()` with `live`, and `merge()`. */
export class LiveSource implements Feed {
  /** @internal */
  readonly catchesUp = true
  /** The position of a page that was taken before its context was made. @internal */
  pageCursor?: string
  readonly #view: SourceHost
  readonly #key: string
  readonly #request: FastifyRequest | undefined
  readonly #granted: Granted | undefined

  /** Made by `view.source()`. @internal */
  constructor (view: SourceHost, key: string, request: FastifyRequest | undefined, granted?: Granted) {
    this.#view = view
    this.#key = key
    this.#request = request
    this.#granted = granted
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    const follower = new Follower(outlet, this.#host())
    follower.begin(lastEventId)
    return follower
  }

  /** @internal */
  locate (cursor: string): MaybePromise<Location> {
    return this.#view.open(this.#key).locate(cursor)
  }

  /**
   * The position of the newest change, after which a stream can go on.
   *
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine cannot be asked.
   */
  async cursor (): Promise<string> {
    return (await this.locate('')).last
  }

  #host (): FollowerHost {
    const view = this.#view
    const key = this.#key
    const request = this.#request
    return {
      enter: async (follower, cursor) => this.#enter(follower, cursor, this.#granted),
      isAllowed: () => view.isAllowed(request, key),
      viewer: () => view.viewerOf(request),
      join: (follower, viewer) => { view.open(key).join(follower, viewer) }
    }
  }

  async #enter (follower: Follower, cursor: string, granted: Granted | undefined): Promise<Since | undefined> {
    const view = this.#view
    const { live, rechecks } = granted ?? this.#current()
    await live.ready
    if (granted === undefined && !await view.isAllowed(this.#request, this.#key)) return undefined
    const viewer = granted === undefined ? await view.viewerOf(this.#request) : granted.viewer
    if (follower.isOver) return undefined
    // The rights may have changed during that call.
    if (view.open(this.#key) !== live || live.rechecks !== rechecks) return this.#enter(follower, cursor, undefined)
    live.join(follower, viewer)
    return live.since(cursor)
  }

  #current (): Pick<Granted, 'live' | 'rechecks'> {
    const live = this.#view.open(this.#key)
    return { live, rechecks: live.rechecks }
  }
}
