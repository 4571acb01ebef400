// Apps whose pages defer values, and values that settle when a test says so.
import nunjucks from 'nunjucks'
import { buildApp } from './app.js'

/** An environment of templates by name. */
export function environment (views, options = {}) {
  const loader = { getSource: name => Object.hasOwn(views, name) ? { src: views[name], path: name, noCache: false } : null }
  return new nunjucks.Environment(loader, { autoescape: true, ...options })
}

/** An app whose route `/` answers with `page.html`; `context` is made for each request. */
export async function pageApp (t, view, context, { options, plugin, fastify, views = {} } = {}) {
  const env = environment({ 'page.html': view, ...views }, { throwOnUndefined: true })
  const app = await buildApp(t, { templates: env, ...plugin }, fastify)
  app.env = env
  app.get('/', (request, reply) => reply.page('page.html', typeof context === 'function' ? context(request) : context, typeof options === 'function' ? options(request) : options))
  return app
}

/** A promise and its ends. */
export function later () {
  const ends = {}
  const promise = new Promise((resolve, reject) => { Object.assign(ends, { resolve, reject }) })
  return { promise, ...ends }
}

/** What arrives of an answer, piece by piece; ids of parts are numbers in the order in which they are met. */
export async function read (app, request = {}) {
  const { headers, ...rest } = typeof request === 'string' ? { url: request } : request
  const response = await app.inject({ url: '/', headers: { accept: 'text/html', ...headers }, payloadAsStream: true, ...rest })
  const body = response.stream()[Symbol.asyncIterator]()
  const ids = new Map()
  const named = text => text.replaceAll(/(chirp-part[:-]|for=")([a-z\d]+-\d+)/g, (_, before, id) => {
    if (!ids.has(id)) ids.set(id, ids.size + 1)
    return before + ids.get(id)
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    async next () {
      const { value, done } = await body.next()
      return done ? undefined : named(String(value))
    },
    async rest () {
      let text = ''
      for (let piece = await this.next(); piece !== undefined; piece = await this.next()) text += piece
      return text
    },
    close: () => response.raw.res.destroy()
  }
}

/** A part as it is on its way. */
export const part = (id, html) => `<template id="chirp-part-${id}">${html}</template><chirp-part for="${id}"></chirp-part>`

/** The place of a part, with what stands in it until then. */
export const place = (id, html = '') => `<!--chirp-part:${id}-->${html}<!--/chirp-part:${id}-->`
