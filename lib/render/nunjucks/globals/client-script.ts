// The template function `chirp_client()`.
import { FST_CHIRP_OPTION } from '../../../errors.js'
import type { Host } from '../host.js'
import type { Environment } from '../internals.js'
import { escapeHtml } from '../../../util/escape.js'
import { addFunction } from './registrations.js'

const NAME = 'chirp_client'

/**
 * Adds `chirp_client()` for a registration that sees the environment through
 * `view`. It prints the tag of the client script at `src`;
 * `chirp_client(nonce=n)` for a page whose policy asks for one. An environment
 * that has a global of this name keeps its own.
 */
export function addClientScript (environment: Environment, { env: view, current }: Pick<Host, 'env' | 'current'>, src: string): void {
  // Of the environment's own copy of Nunjucks, which compares classes.
  const markSafe = environment.getFilter('safe')
  addFunction(environment, view, NAME, src, (sources, isOwn) => ({ nonce }: { nonce?: unknown } = {}) => {
    const [src] = sources
    if (sources.size > 1) {
      const addresses = [...sources].map(address => `"${address.replace(/\?.*/, '')}"`).join(' and ')
      throw new FST_CHIRP_OPTION(`chirp_client() cannot know whose page this is: the plugin is registered several times with these templates, and the script is at ${addresses}. Render the page with reply.page(), or give all registrations the same option "clientUrl"`)
    }
    const attributes = `src="${escapeHtml(src!)}"${nonce === undefined ? '' : ` nonce="${escapeHtml(String(nonce))}"`}`
    const tag = (mode: string): string => `<script ${mode}${attributes}></script>`
    const watcher = isOwn ? current.page?.watcher : undefined
    if (watcher?.needsScript !== true) return markSafe(tag('defer '))
    // Parts are placed as they arrive, and a script that is deferred waits for the last one. It runs once; the
    // second tag makes sure that it has run before htmx begins, however slow the network is. A third one stands
    // in front of the parts, and takes itself away: WebKit runs no async script before it has painted.
    watcher.noteScript(tag('data-chirp-part '))
    return markSafe(tag('async ') + tag('defer '))
  })
}
