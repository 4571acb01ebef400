// The connections to each stream, and the listeners of its events.
import type { RouteFacts } from '../types.js'
import { isConnect } from './address.js'
import { push } from './lists.js'
import type { Page } from './page.js'
import type { Attribute, Element } from './parts.js'
import { isKnown } from './pattern.js'
import { around, type Place } from './tree.js'
import type { Wire } from './wire.js'

/** The reserved events of the plugin. */
export const OWN_EVENTS: ReadonlySet<string> = new Set(['chirp:open', 'chirp:error', 'chirp:closing', 'chirp:closed', 'chirp:busy', 'chirp:gap', 'chirp:retry'])

/** An attribute that waits for events of a stream. */
export interface Listener {
  element: Element
  attribute: Attribute
  /** The names that it waits for, as far as they are known. */
  names: ReadonlySet<string>
  /** All its names are known. */
  isPlain: boolean
  /** The routes that it may be connected to. */
  routes: Set<RouteFacts>
  /** It may be connected to something that is not known. */
  isOpen: boolean
  /** In a whole page it is inside of a connection. */
  isInside: boolean
  /** In a whole page it is not, and nothing unknown is around. */
  isOutside: boolean
  /** In a part of a page it is not, and the surroundings of that are unknown. */
  isLoose: boolean
}

/** The connections and listeners of all pages. */
export class Streams {
  readonly listeners: readonly Listener[]
  /** The attributes that connect to each route. */
  readonly connections = new Map<RouteFacts, Wire[]>()
  /** Some connect to an address that is not known. */
  readonly isOpen: boolean
  readonly #wires = new Map<Attribute, Wire[]>()

  constructor (pages: readonly Page[], wires: readonly Wire[]) {
    const connecting = wires.filter(({ purpose }) => purpose === 'stream')
    this.isOpen = connecting.some(({ reach }) => reach === undefined)
    for (const wire of connecting) {
      push(this.#wires, wire.attribute, wire)
      for (const route of wire.reach?.routes ?? []) push(this.connections, route, wire)
    }
    const listeners = new Map<Attribute, Listener>()
    for (const page of pages) {
      for (const place of page.places) {
        for (const element of place.elements) {
          for (const attribute of element.attributes) {
            const names = namesOf(attribute)
            if (names === undefined) continue
            let listener = listeners.get(attribute)
            if (listener === undefined) listeners.set(attribute, listener = createListener(element, attribute, names))
            this.#locate(listener, place, page)
          }
        }
      }
    }
    this.listeners = [...listeners.values()]
    // A partial is known by the pages that it is in, if there are any.
    for (const listener of this.listeners) if (listener.isLoose && !listener.isInside && !listener.isOutside) listener.isOpen = true
  }

  /** Those that may hear a route. */
  listenersOf (route: RouteFacts): Listener[] {
    return this.listeners.filter(({ routes, isOpen }) => isOpen || routes.has(route))
  }

  // From the listener up to the first connection that is surely there.
  #locate (listener: Listener, place: Place, page: Page): void {
    // On htmx 4 every request may be answered with a stream.
    if (listener.attribute.name === 'hx-sse:close' && !listener.element.attributes.some(isConnect)) listener.isOpen = true
    let isConnected = false
    for (const { elements } of around(place)) {
      const connects = elements.flatMap(({ attributes }) => attributes.filter(isConnect))
      for (const wire of connects.flatMap(attribute => this.#wires.get(attribute) ?? [])) {
        isConnected = true
        for (const route of wire.reach?.routes ?? []) listener.routes.add(route)
        // Another server, or a wire that is broken and reported as that.
        if (wire.reach === undefined || wire.reach.routes.length === 0) listener.isOpen = true
      }
      if (connects.length > 0) {
        // Relative or elsewhere.
        if (!isConnected) listener.isOpen = true
        isConnected = true
        if (elements.every(({ attributes }) => attributes.some(attribute => isConnect(attribute) && !attribute.conditional))) {
          if (page.isWhole) listener.isInside = true
          return
        }
      }
      if (elements.length === 0 || elements.some(({ dynamic }) => dynamic)) {
        listener.isOpen = true
        return
      }
    }
    if (!page.isWhole) listener.isLoose = true
    else if (isConnected) listener.isInside = true
    else listener.isOutside = true
  }
}

function createListener (element: Element, attribute: Attribute, names: string[]): Listener {
  return {
    element,
    attribute,
    names: new Set(names.filter(isKnown)),
    isPlain: names.every(isKnown),
    routes: new Set(),
    isOpen: false,
    isInside: false,
    isOutside: false,
    isLoose: false
  }
}

// The names of events that an attribute waits for; undefined if it does not wait for a stream.
export function namesOf ({ name, values }: Pick<Attribute, 'name' | 'values'>): string[] | undefined {
  if (name === 'sse-swap') return values.flatMap(value => value.split(',')).map(name => name.trim()).filter(name => name !== '')
  if (name === 'sse-close' || name === 'hx-sse:close') return values.map(value => value.trim()).filter(name => name !== '')
  if (name !== 'hx-trigger') return undefined
  const names = values.flatMap(value => value.split(',')).flatMap(trigger => /^\s*sse:([^\s[]+)/.exec(trigger)?.[1] ?? [])
  return names.length === 0 ? undefined : names
}
