// Blocks that fill nothing.
import type { Model } from '../scan/model.js'
import { Patterns } from '../scan/pattern.js'
import type { Template } from '../scan/template.js'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'

export const unknownBlock: Rule = {
  category: 'unknown-block',
  severity: 'warning',
  summary: 'A template fills a block that the template which it extends does not have.',
  check (model, report) {
    const { library, source } = model
    const patterns = new Patterns(source.patterns)
    for (const template of library.templates.values()) {
      const above = blocksAbove(model, template)
      if (above === undefined) continue
      for (const part of template.parts) {
        if (part.kind !== 'block' || above.has(part.name)) continue
        // It may be there to be rendered alone.
        if (source.literals.has(part.name) || patterns.fit(part.name)) continue
        report({
          template: template.name,
          ...template.position(part.offset),
          severity: source.isKnown ? undefined : 'info',
          message: `No template that this one extends has the block "${part.name}", so no page shows it.${suggest(part.name, above)} Correct the name, or add the block there`
        })
      }
    }
  }
}

/** The blocks of all templates that one may extend; undefined if it extends none, or if they cannot be told. */
function blocksAbove ({ library }: Model, template: Template): Set<string> | undefined {
  const chains = library.chains(template)
  if (chains.some(({ templates, complete }) => !complete || templates.length === 1)) return undefined
  return new Set(chains.flatMap(({ templates }) => templates.slice(1).flatMap(({ blocks }) => [...blocks.keys()])))
}
