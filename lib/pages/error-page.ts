// The page that a browser shows in debug when a page cannot be rendered: the reason, the
// place, and the lines of the template around it. It takes the place of the JSON
// of Fastify's own error handler; what the app's error handler answers stays.
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_NO_TEMPLATES, FST_CHIRP_RENDER, FST_CHIRP_RENDER_TIMEOUT, FST_CHIRP_TEMPLATE_NAME, FST_CHIRP_TEMPLATE_NOT_FOUND
} from '../errors.js'
import { summary } from '../message/error-box.js'
import { type Place, placeOf, placeText } from '../message/place.js'
import type { Library } from '../render/nunjucks/templates.js'
import { escapeHtml } from '../util/escape.js'

interface RenderError extends Error { code: string }

const RENDER_ERRORS = [
  FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_NO_TEMPLATES, FST_CHIRP_RENDER, FST_CHIRP_RENDER_TIMEOUT, FST_CHIRP_TEMPLATE_NAME, FST_CHIRP_TEMPLATE_NOT_FOUND
]

/** Lines of the template that are shown before and after the one that failed. */
const AROUND = 4

/** Adds the hooks, for routes that are added from now on. */
export function addErrorPages (app: FastifyInstance, library: Library | undefined): void {
  const failures = new WeakMap<FastifyReply, RenderError>()
  // Not where a handler has caught the error: its answer is an answer.
  app.addHook('onError', (request, reply, error, done) => {
    if (isRenderError(error) && asksForHtml(request.headers.accept)) failures.set(reply, error)
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const error = failures.get(reply)
    if (error === undefined || payload !== jsonOf(error, reply.statusCode)) return done()
    reply.type('text/html; charset=utf-8').removeHeader('content-length')
    errorPage(error, library).then(html => done(null, html), done)
  })
}

function isRenderError (error: Error): error is RenderError {
  return RENDER_ERRORS.some(RenderError => error instanceof RenderError)
}

// As browsers do. A script that takes anything gets JSON.
function asksForHtml (accept = ''): boolean {
  return /\btext\/html\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accept)
}

/** The answer of Fastify's own error handler. */
function jsonOf ({ code, message }: RenderError, statusCode: number): string {
  return JSON.stringify({ statusCode, code, error: STATUS_CODES[statusCode], message })
}

async function errorPage (error: RenderError, library: Library | undefined): Promise<string> {
  const { title, message } = summary(error)
  const place = placeOf(error)
  const excerpt = place && await excerptOf(place, library)
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${escapeHtml(`${title}: ${message}`)}</title></head>`,
    '<body style="font-family: system-ui, sans-serif; margin: 2rem">',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(message)}</p>`,
    place && `<p><code>${escapeHtml(placeText(place))}</code></p>`,
    excerpt && `<pre style="overflow: auto; padding: 1rem; border: 1px solid">${escapeHtml(excerpt)}</pre>`,
    `<p>${escapeHtml(error.message)}</p>`,
    '<p>This page is shown in debug only.</p>',
    '</body>',
    '</html>'
  ]
  return lines.filter(line => line !== undefined).join('\n')
}

/** The lines around a place, numbered; undefined when the template cannot be read. */
async function excerptOf ({ template, line, column }: Place, library: Library | undefined): Promise<string | undefined> {
  if (line === undefined || column === undefined) return undefined
  const written = await library?.read(template).catch(() => undefined)
  if (written === undefined) return undefined
  const first = Math.max(line - AROUND, 1)
  const shown = written.source.split('\n').slice(first - 1, line + AROUND)
  const width = String(first + shown.length - 1).length
  return shown.flatMap((text, n) => {
    const number = first + n
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text.trimEnd()}`
    return number === line ? [row, `  ${' '.repeat(width)} | ${' '.repeat(column - 1)}^`] : [row]
  }).join('\n')
}
