// The names of all rules, for who has to know them without loading the rules.

/** All categories of findings, in the order of the documentation. */
export const CATEGORIES = [
  'link', 'form', 'method', 'asset', 'unknown-url', 'orphan',
  'not-a-stream', 'unreferenced-stream', 'sse-swap-unknown', 'sse-swap-outside', 'event-unheard', 'event-name', 'missing-extension', 'broad-target',
  'missing-target', 'duplicate-id', 'removed-attribute', 'mixed-dialects',
  'fragment', 'missing-template', 'unknown-block', 'dead-template', 'template-error', 'source-error'
] as const

export type CategoryName = typeof CATEGORIES[number]
