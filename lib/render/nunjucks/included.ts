// Blocks of included templates are none of the page's own. This looks where one
// is that a caller looked for in the wrong template.
import type { Host, Twin } from './host.js'
import type { AstNode, Template } from './internals.js'

/** The name of a template that has the block, and that one of `twins` includes, be it through others; what does not load at once is not looked at. */
export function includedWith (host: Host, twins: Twin[], block: string): string | undefined {
  const seen = new Set(twins)
  // A set grows while one walks through it.
  for (const twin of seen) {
    for (const included of includesOf(host, twin)) {
      if (Object.hasOwn(included.template.blocks, block)) return included.label
      seen.add(included)
    }
  }
  return undefined
}

function includesOf (host: Host, { source, template: { path } }: Twin): Twin[] {
  if (source === undefined) return []
  return namesIn(host, host.parse(source)).flatMap(name => load(host, name, path) ?? [])
}

// Those that are written as text.
function namesIn (host: Host, node: AstNode): string[] {
  const below = host.nunjucks.childrenOf(node).flatMap(child => namesIn(host, child))
  if (node.typename !== 'Include') return below
  const { typename, value } = node.template as AstNode
  return typename === 'Literal' ? [String(value), ...below] : below
}

function load (host: Host, name: string, from: string | undefined): Twin | undefined {
  let found: Template | undefined
  try {
    host.env.getTemplate(name, false, from, true, (_: unknown, template?: Template) => { found = template })
  } catch {
    // It is a hint: what does not compile fails where it is rendered.
  }
  return found && host.twinOf(found)
}
