// The template function `chirp_client()`.
import { escapeHtml } from '../escape.js'
import type { Environment } from '../nunjucks.js'

const NAME = 'chirp_client'

/**
 * Adds `chirp_client()`, which prints the tag of the client script at `src`;
 * `chirp_client(nonce=n)` for a page whose policy asks for one. An environment
 * that has a global of this name keeps its own.
 */
export function addClientScript (environment: Environment, src: string): void {
  if (NAME in environment.globals) return
  // Of the environment's own copy of Nunjucks, which compares classes.
  const markSafe = environment.getFilter('safe')
  environment.addGlobal(NAME, ({ nonce }: { nonce?: unknown } = {}) => {
    const attribute = nonce === undefined ? '' : ` nonce="${escapeHtml(String(nonce))}"`
    return markSafe(`<script defer src="${escapeHtml(src)}"${attribute}></script>`)
  })
}
