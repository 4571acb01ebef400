// Which files of its own app a source file loads.
import type { AnyNode } from 'acorn'
import { programOf } from './source/parse.js'
import { walk } from './syntax.js'
import type { SourceFile } from './types.js'

export const EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.jsx', '.tsx']

/** The files that an imported path may mean: as it is written; or .ts behind a .js, as TypeScript writes it; or without an extension or a file name, as CommonJS may. */
export function candidatesFor (path: string): string[] {
  return [
    path, path.replace(/\.([cm]?)js$/, '.$1ts'), path.replace(/\.jsx?$/, '.tsx'),
    ...EXTENSIONS.map(extension => path + extension), ...EXTENSIONS.map(extension => `${path}/index${extension}`)
  ]
}

/** The relative specifiers of `import`, `export from`, `import()` and `require()`; none when the file does not parse. */
export function importsOf (file: SourceFile): Set<string> {
  const found = new Set<string>()
  const root = treeOf(file)
  if (root === undefined) return found
  for (const { node } of walk(root)) {
    const target = targetOf(node)
    if (target?.type === 'Literal' && typeof target.value === 'string' && /^\.\.?(?:\/|$)/.test(target.value)) found.add(target.value)
  }
  return found
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
