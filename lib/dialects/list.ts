// All dialects, and which of them a request speaks.
import type { FastifyRequest } from 'fastify'
import { headerOf, parameterOf } from '../util/request.js'
import type { Attributes, Dialect } from './dialect.js'
import { htmx2 } from './htmx2.js'
import { htmx4 } from './htmx4.js'

// The last one is what a request speaks that says nothing.
const known = [htmx4, htmx2] as const

/** The parameter of an address that says which dialect its page speaks. */
export const dialectParameter = 'htmx'

/** How a dialect is named in options. */
export type DialectName = typeof known[number]['name']

/** Which generation of htmx a page speaks; `auto` looks at each request. */
export type DialectOption = 'auto' | DialectName

export const dialects: Dialect[] = [...known]

export function isDialectOption (value: unknown): value is DialectOption {
  return value === 'auto' || dialects.some(({ name }) => name === value)
}

/** The names of all dialects, for messages. */
export function dialectNames (): string[] {
  return dialects.map(({ name }) => name).sort()
}

/** The request headers that `auto` looks at, for `Vary`. */
export function dialectVary (): string {
  // Each answer asks, and the list hardly ever changes.
  if (varies.of !== dialects.length) varies = { of: dialects.length, names: [...new Set(dialects.flatMap(({ vary }) => vary))].join(', ') }
  return varies.names
}

let varies = { of: 0, names: '' }

/** The dialect of the page that sent a request: what is configured, else what `?htmx=` asks for, else what its headers tell. */
export function detectDialect (option: DialectOption, request: FastifyRequest): Dialect {
  if (option !== 'auto') return dialects.find(({ name }) => name === option)!
  const asked = parameterOf(request, dialectParameter)
  const header = (name: string): string | undefined => headerOf(request, name)
  return dialects.find(({ query }) => query === asked) ?? dialects.find(({ detect }) => detect(header))!
}

/** Attributes for pages of one dialect, or of any of them with `auto`. */
export function attributesFor (option: DialectOption, choose: (attributes: Dialect['attributes']) => Attributes): Attributes {
  const chosen = option === 'auto' ? [...dialects].reverse() : dialects.filter(({ name }) => name === option)
  // Each dialect reads its own; where two have the same attribute, it has the same value.
  return [...new Map(chosen.flatMap(({ attributes }) => choose(attributes)))]
}

/** Whether HTML can get into a page in this way, in any dialect; modifiers may follow the word. */
export function isSwap (swap: string): boolean {
  const [word] = swap.trim().split(/\s+/, 1)
  return dialects.some(({ swaps }) => swaps.has(word!))
}

/** The words for how HTML gets into a page, in any dialect. */
export function swapWords (): string[] {
  return [...new Set(dialects.flatMap(({ swaps }) => [...swaps]))].sort()
}
