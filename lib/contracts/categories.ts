// The names of all rules, for code that needs them without loading the rules.

/** All categories of findings, in the order of the documentation. */
export const CATEGORIES = [
  'link', 'form', 'method', 'asset', 'unknown-url', 'orphan',
  'not-a-stream', 'unreferenced-stream', 'sse-swap-unknown', 'sse-swap-outside', 'event-unheard', 'event-name', 'missing-extension', 'broad-target',
  'fragments-unheard', 'event-id', 'refresh', 'unknown-signal', 'signal-outside', 'live-view',
  'missing-target', 'duplicate-id', 'swap-value', 'swap-mismatch', 'misspelt-attribute', 'removed-attribute', 'mixed-dialects',
  'fragment', 'view', 'missing-template', 'unknown-block', 'unknown-filter', 'unknown-test', 'deferred-truth', 'dead-template', 'template-error', 'source-error'
] as const

export type CategoryName = typeof CATEGORIES[number]
