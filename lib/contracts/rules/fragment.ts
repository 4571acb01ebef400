// Blocks and templates that the source renders and that do not exist.
import type { Model } from '../scan/model.js'
import type { SourceText } from '../source/scan.js'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'
import { enumerate } from './words.js'

export const fragment: Rule = {
  category: 'fragment',
  severity: 'error',
  summary: 'The source renders a template or a block that does not exist.',
  check (model, report) {
    const { library, source, snapshot } = model
    if (!snapshot.hasTemplates) return
    const blocksByName = new Map<string, Set<string> | undefined>()
    for (const { templates, blocks } of source.rendered) {
      for (const { text: name, file, line, column } of templates) {
        if (!library.exists(name)) {
          report({ file, line, column, message: `There is no template "${name}".${suggest(name, library.templates.keys())} Correct the name, or add the template` })
          continue
        }
        for (const block of blocks) checkBlock(name, block)
      }
    }

    function checkBlock (name: string, { text, file, line, column }: SourceText): void {
      if (!blocksByName.has(name)) blocksByName.set(name, blocksOf(model, name))
      const known = blocksByName.get(name)
      if (known === undefined || known.has(text)) return
      const has = known.size === 0 ? 'no blocks' : enumerate([...known])
      report({ file, line, column, template: name, message: `"${name}" has no block "${text}"; it has ${has}.${suggest(text, known)} Correct the name, or add the block` })
    }
  }
}

/** The blocks of a template and of those that it extends; undefined if they cannot all be told. */
function blocksOf ({ library }: Model, name: string): Set<string> | undefined {
  const template = library.templates.get(name)
  if (template === undefined) return undefined
  const chains = library.chains(template)
  if (chains.some(({ complete }) => !complete)) return undefined
  return new Set(chains.flatMap(({ templates }) => templates.flatMap(({ blocks }) => [...blocks.keys()])))
}
