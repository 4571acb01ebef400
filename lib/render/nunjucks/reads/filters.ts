// What is known of the filters that come with Nunjucks. All others read all of
// what they get.
import type { AstNode } from '../internals.js'
import { noteLink } from './calls.js'
import type { Machine } from './machine.js'
import { usesOf } from './macros.js'
import { because, either, list, made, text, unionOf, type Uses, type Value } from './value.js'

interface Given {
  uses: Uses
  input: Value
  /** A member of it, whichever. */
  item: Value
  /** The other arguments, and their values. */
  nodes: readonly AstNode[]
  values: readonly Value[]
}

/** Gives undefined for what it does not know. */
type Rule = (given: Given) => Value | undefined

const RULES: Record<string, Rule> = {
  // A number has none.
  length: ({ uses, input }) => made(uses.shape(input)),
  first: oneOf,
  last: oneOf,
  random: oneOf,
  reverse: ({ uses, input, item }) => list(item, uses.shape(input)),
  list: ({ uses, input, item }) => {
    const shape = uses.shape(input)
    return list(either([item, { ...text(), fields: new Map([['key', text(shape)], ['value', item]]) }]), shape)
  },
  batch: pieces,
  slice: pieces,
  default: otherwise,
  d: otherwise,
  dictsort: ({ uses, input, item, values }) => {
    const shape = uses.shape(input)
    return values.length > 1 ? undefined : list(list(either([item, text(shape)])), unionOf([shape, uses.all(...values)]))
  },
  sort: given => by(given, given.nodes[2] === undefined || given.nodes[2].typename === 'KeywordArgs' ? named(given, 'attribute') : given.nodes[2], list, true),
  groupby: given => by(given, given.nodes[0], (item, reads) => list(list(item), reads), true),
  sum: given => by(given, given.nodes[0], (_, reads) => text(reads)),
  join: given => by(given, given.nodes[1], (_, reads) => text(reads)),
  selectattr: having,
  rejectattr: having
}

// They always give a text or a number; `replace` gives back values that are not texts.
const TEXTS = new Set([
  'abs', 'capitalize', 'center', 'e', 'escape', 'forceescape', 'indent', 'lower', 'nl2br', 'round', 'safe', 'string', 'striptags', 'title',
  'trim', 'truncate', 'upper', 'urlencode', 'urlize'
])

/** What a filter gives. */
export function filterValue (machine: Machine, node: AstNode): Value {
  const { uses } = machine
  const name = node.name.value as string
  const [, ...nodes] = (node.args as AstNode).children
  const [input, ...values] = (node.args as AstNode).children.map(child => machine.evaluate(child)) as [Value, ...Value[]]
  const isBuiltin = machine.isBuiltin('filter', name)
  if (isBuiltin && Object.hasOwn(RULES, name)) {
    const known = (RULES[name] as Rule)({ uses, input, item: uses.member(input, undefined), nodes, values })
    if (known !== undefined) return known
  }
  const reads = usesOf(machine, [input, ...values])
  if (!isBuiltin) noteLink(machine, node.name, [input, ...values], reads)
  return made(reads, isBuiltin && TEXTS.has(name))
}

function oneOf ({ uses, input, item }: Given): Value {
  return because(item, uses.shape(input))
}

function otherwise ({ uses, input, values: [other = made(), strict = made()] }: Given): Value {
  const value = because(either([input, other]), unionOf([uses.presence(input), uses.presence(strict)]))
  return { ...value, isThere: other.isThere }
}

function pieces ({ uses, input, item, values: [count = made(), filler] }: Given): Value {
  const items = filler === undefined ? item : either([item, filler])
  return list(list(items), unionOf([uses.shape(input), uses.all(count), filler === undefined ? [] : uses.presence(filler)]))
}

function having (given: Given): Value | undefined {
  const { uses, input, item, nodes: [attribute] } = given
  if (attribute?.typename !== 'Literal') return undefined
  return list(item, unionOf([uses.shape(input), uses.presence(uses.member(item, attribute.value))]))
}

// One that looks at one attribute of each member. Some know dots in it.
function by (
  given: Given, attribute: AstNode | undefined, result: (item: Value, reads: ReturnType<Uses['all']>) => Value, knowsDots = false
): Value | undefined {
  const { uses, input, item, values } = given
  if (attribute?.typename !== 'Literal' || typeof attribute.value !== 'string' || attribute.value === '') return undefined
  const steps = knowsDots ? attribute.value.split('.') : [attribute.value]
  const looked = steps.reduce((value, step) => uses.member(value, step), item)
  return result(item, unionOf([uses.shape(input), uses.all(looked, ...values)]))
}

function named ({ nodes }: Given, name: string): AstNode | undefined {
  const pairs = nodes.at(-1)?.typename === 'KeywordArgs' ? (nodes.at(-1) as AstNode).children : []
  return pairs.find(({ key }) => (key as AstNode).value === name)?.value as AstNode | undefined
}
