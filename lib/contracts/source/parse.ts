// Reads JavaScript and TypeScript, with or without JSX.
import { tsPlugin } from '@sveltejs/acorn-typescript'
import { Parser, type Options, type Program } from 'acorn'
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
  let failure: unknown
  for (const { parser, ...options } of parsersFor(path)) {
    try {
      return parser.parse(source, { ...OPTIONS, ...options })
    } catch (error) {
      // The others are guesses; what they complain of would be confusing.
      failure ??= error
    }
  }
  throw failure
}

function parsersFor (path: string): Array<Partial<Options> & { parser: typeof Parser }> {
  const typed = { parser: TypeScript, sourceType: 'module' } as const
  // `<T>value` is a cast where there is no JSX, and an element where there is.
  if (/\.[cm]?ts$/.test(path)) return [typed]
  const jsx = { ...typed, parser: TypeScriptJsx }
  if (!/\.[cm]?js$/.test(path)) return [jsx]
  // The plain parser is twice as fast. What strict mode forbids, such as `with`, is fine in CommonJS.
  return [{ ...typed, parser: Parser }, jsx, { parser: Parser, sourceType: 'script', allowImportExportEverywhere: false }]
}
