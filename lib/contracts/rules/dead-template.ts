// Templates that nothing renders.
import { posix } from 'node:path'
import type { Model } from '../scan/model.js'
import { resolveName } from '../scan/library.js'
import { HOLE, isKnown, Patterns } from '../scan/pattern.js'
import type { Rule } from './rule.js'

const LONGEST_NAME = 1000

export const deadTemplate: Rule = {
  category: 'dead-template',
  severity: 'info',
  summary: 'Neither the source nor another template names a template.',
  check (model, report) {
    if (!model.source.isKnown) return
    const isNamed = namesIn(model)
    for (const name of model.library.listed) {
      if (isNamed(name)) continue
      report({ template: name, message: `Nothing renders "${name}": neither the source nor another template names it. Remove it if it is not used` })
    }
  }
}

// Names may be written without an extension, as @fastify/view allows, or as a path to the file.
function namesIn ({ library, source }: Model): (name: string) => boolean {
  const names = new Set<string>()
  const patterns: string[] = []
  const note = (text: string, from?: string) => {
    const name = from === undefined ? text : resolveName(from, text)
    if (isKnown(name)) {
      for (const path of pathsOf(name)) names.add(path)
    } else if (name.replaceAll(HOLE, '').length > 2) {
      // An expression alone can be anything, which is not a sign of use.
      patterns.push(name)
    }
  }
  for (const text of [...source.literals, ...source.patterns]) note(text)
  for (const template of library.templates.values()) {
    for (const text of template.references.flatMap(({ names }) => names)) note(text, template.name)
    for (const text of template.literals) if (text !== template.name) note(text)
  }
  const known = new Patterns(patterns)
  return name => {
    const bare = name.slice(0, name.length - posix.extname(name).length)
    return [name, bare].some(name => names.has(name) || known.fit(name))
  }
}

// `views/news/item.html`, `news/item.html`, `item.html`
function pathsOf (name: string): string[] {
  // Of a text that is not a name, such as a picture in base64, there would be as many ends as slashes.
  if (name.length > LONGEST_NAME) return [name]
  const segments = name.split('/')
  return segments.map((_, index) => segments.slice(index).join('/'))
}
