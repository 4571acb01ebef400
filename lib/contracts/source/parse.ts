// Reads JavaScript and TypeScript, with or without JSX.
import { Parser, type Options, type Program } from 'acorn'
import { tsPlugin } from '@sveltejs/acorn-typescript'
import type { SourceFile } from '../types.js'

const TypeScript = Parser.extend(tsPlugin())
const TypeScriptJsx = Parser.extend(tsPlugin({ jsx: true }))

const OPTIONS: Options = {
  ecmaVersion: 'latest',
  locations: true,
  allowHashBang: true,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true
}

// Imports are followed in the same trees.
const programs = new WeakMap<SourceFile, Program>()

/**
 * The syntax tree of a source file, parsed once.
 *
 * @throws SyntaxError as {@link parseSource} does
 */
export function programOf (file: SourceFile): Program {
  let program = programs.get(file)
  if (program === undefined) programs.set(file, program = parseSource(file.path, file.source))
  return program
}

/**
 * The syntax tree of a source, as ESTree.
 *
 * @throws SyntaxError of acorn, whose `loc` has line (from one) and column (from zero).
 */
export function parseSource (path: string, source: string): Program {
  // `<T>value` is a cast where there is no JSX, and an element where there is.
  const parser = /\.[cm]?ts$/.test(path) ? TypeScript : TypeScriptJsx
  try {
    return parser.parse(source, { ...OPTIONS, sourceType: 'module' })
  } catch (error) {
    // What strict mode forbids, such as `with`, is fine in CommonJS.
    if (!/\.c?js$/.test(path)) throw error
    try {
      return Parser.parse(source, { ...OPTIONS, sourceType: 'script', allowImportExportEverywhere: false })
    } catch {
      throw error
    }
  }
}
