// Who takes part. A server of that name is in bench/servers/.
import { existsSync, readFileSync } from 'node:fs'

export const BASELINE = 'node-http'
/** The same server, sending the very generator that everyone else sends. */
export const WITH_GENERATOR = `${BASELINE}/generator`
/** The same server, with a timer for the heartbeat of each response. */
export const WITH_TIMER = `${BASELINE}/timer`
export const OURS = 'chirp'
/** A route of ours that follows a channel. */
export const CHANNEL = `${OURS}/channel`
/** A route of ours that streams one feed, and one that is a page too and asks for its stream with `live`. */
export const BY_HAND = `${OURS}/hand`
export const LIVE = `${OURS}/live`
/** The peer that the targets name. */
export const PEER = 'fastify-sse'

// What to tell the version of.
const PACKAGES = {
  'node-http': [],
  chirp: [],
  'fastify-sse': ['@fastify/sse', 'fastify'],
  'better-sse': ['better-sse'],
  'fastify-sse-v2': ['fastify-sse-v2'],
  hono: ['hono', '@hono/node-server']
}

const TITLES = {
  'node-http': 'node:http',
  chirp: 'fastify-chirp',
  'fastify-sse': '@fastify/sse',
  'better-sse-batch': 'better-sse, batched',
  tcp: 'TCP, no HTTP'
}

const dist = (file) => new URL(`../../dist/${file}`, import.meta.url)

export const built = existsSync(dist('index.js'))

/** A module of ours, from dist/; undefined when it is not built. */
export async function ours (file) {
  return existsSync(dist(file)) ? import(dist(file)) : undefined
}

export const contestants = Object.keys(PACKAGES).filter((name) => name !== OURS || built)

export const title = (name) => TITLES[name] ?? name

/** The same, for a table that has the baseline with and without a generator. */
export function titleOfBoth (name) {
  if (name === BY_HAND) return `${title(OURS)}, a feed`
  if (name === LIVE) return `${title(OURS)}, a live page's stream`
  if (name === CHANNEL) return `${title(OURS)}, a channel`
  if (name === WITH_TIMER) return `${title(BASELINE)} with a timer for heartbeats, no generator`
  if (name === BASELINE) return `${title(BASELINE)} bare, no generator`
  return name === WITH_GENERATOR ? title(BASELINE) : title(name)
}

/** Which server a name means, and which of its routes for `path`. */
export function routeOf (name, path) {
  const [server, variant] = name.split('/')
  return { server, path: variant === undefined ? path : `${path}/${variant}` }
}

/** The versions that the figures belong to. */
export function versions () {
  return Object.values(PACKAGES).flat().map((name) => {
    const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
    return `${name} ${JSON.parse(readFileSync(path, 'utf8')).version}`
  })
}
