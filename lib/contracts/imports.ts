// Which files of its own app a source file loads.
import type { AnyNode } from 'acorn'
import { programOf } from './source/parse.js'
import { childrenOf } from './syntax.js'
import type { SourceFile } from './types.js'

/** The relative specifiers of `import`, `export from`, `import()` and `require()`; none when the file does not parse. */
export function importsOf (file: SourceFile): string[] {
  const found: string[] = []
  visit(treeOf(file))
  return found

  function visit (node: AnyNode | undefined): void {
    if (node === undefined) return
    const target = targetOf(node)
    if (target?.type === 'Literal' && typeof target.value === 'string' && /^\.\.?(?:\/|$)/.test(target.value)) found.push(target.value)
    for (const child of childrenOf(node)) visit(child)
  }
}

// What is wrong with it is for the rules to say.
function treeOf (file: SourceFile): AnyNode | undefined {
  try {
    return programOf(file)
  } catch {
    return undefined
  }
}

function targetOf (node: AnyNode): AnyNode | null | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
      return node.source
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'require' ? node.arguments[0] : undefined
  }
}
