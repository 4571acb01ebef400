// Every public name has a comment: editors show it, and the API reference of the site is made of it.
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { read, root } from '../helpers/readme.js'

const { exports } = JSON.parse(read('package.json'))
const entries = Object.values(exports).flatMap(({ types }) => types === undefined ? [] : [join(root, types)])
const program = ts.createProgram(entries, { module: ts.ModuleKind.NodeNext, skipLibCheck: true, noLib: true, types: [] })
const checker = program.getTypeChecker()

const isCommented = symbol => symbol.getDocumentationComment(checker).length > 0
const isOurs = symbol => symbol.declarations?.some(declaration => declaration.getSourceFile().fileName.startsWith(join(root, 'dist')))

// Fields of messages have the same names everywhere: docs/reference/observability.md has a table of them.
const isMessage = ({ name }) => name.endsWith('Message')

/** The symbols that a name leads to: itself, and what a class or an interface of ours declares. */
function namesOf (symbol) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  if (!isOurs(target)) return []
  if (isMessage(target)) return [{ member: target, name: target.name }]
  const members = [...target.members?.values() ?? []].filter(member => member.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method | ts.SymbolFlags.Accessor))
  return [target, ...members.filter(({ name }) => !/^__|#private/.test(name))].map(member => ({ member, name: member === target ? member.name : `${target.name}.${member.name}` }))
}

for (const entry of entries) {
  t.test(entry.slice(root.length), async t => {
    const names = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry))).flatMap(namesOf)
    t.ok(names.length > 0)
    t.same(names.filter(({ member }) => !isCommented(member)).map(({ name }) => name), [])
  })
}
