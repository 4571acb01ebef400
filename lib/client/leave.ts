// Answers that are not a stream, and where they send the page.

/** Whether the next answer would be the same: it has no content, forbids, or sends the client to another page. */
export function isFinal ({ status, ok, redirected, headers }: Response): boolean {
  return (redirected && ok) || [204, 401, 403].includes(status) || headers.has('HX-Redirect') || mustRefresh(headers)
}

/** The absolute address that a final answer leads to; undefined when it leads nowhere. */
export function destinationOf ({ headers, redirected, url }: Response): string | undefined {
  const given = headers.get('HX-Redirect') ?? (mustRefresh(headers) ? location.href : headers.get('Location'))
  // Unlike a URL a link takes whatever there is.
  if (given != null) return Object.assign(document.createElement('a'), { href: given }).href
  if (redirected && /^text\/html/.test(headers.get('content-type')!)) return url
}

/** Goes to an address of the same origin; a tab is left once in ten seconds, so that none goes round in a circle. */
export function leave (address: string): void {
  if (!address.startsWith(`${location.origin}/`) || Date.now() - sessionStorage['chirp:left'] < 10000) return
  sessionStorage['chirp:left'] = Date.now()
  if (address === location.href) location.reload()
  else location.assign(address)
}

function mustRefresh (headers: Headers): boolean {
  return headers.get('HX-Refresh') === 'true'
}
