// All templates of the app, and which of them belong together.
import { posix } from 'node:path'
import { explainFailure } from '../limits.js'
import type { Snapshot, TemplateSource } from '../types.js'
import type { Call, Part, Reference } from './parts.js'
import { isKnown } from './pattern.js'
import { Lines, type Position } from './position.js'
import { scanTemplate, type Template } from './template.js'

/** A template that Nunjucks cannot parse, or that is too large. Lines and columns count from one. */
export interface BrokenTemplate extends Position { name: string, message: string }

/** A template and those that it extends, leaf first. */
export interface Chain {
  templates: readonly Template[]
  /** False when the last one extends a template that cannot be told. */
  complete: boolean
}

/** Each condition around `extends` doubles them. */
const MOST_CHAINS = 64

/** All templates, by name. */
export class TemplateLibrary {
  readonly templates = new Map<string, Template>()
  readonly broken = new Map<string, BrokenTemplate>()
  /** Templates that are listed, and not only named somewhere. */
  readonly listed = new Set<string>()
  readonly #chains = new Map<Template, Chain[]>()

  /** Scans the listed templates, and those that are named by them or in `names`. */
  async read (snapshot: Snapshot, names: Iterable<string>, pause: () => Promise<void>): Promise<void> {
    const asked = new Set<string>()
    const wanted = new Set<string>(names)
    for (const template of snapshot.templates) {
      this.listed.add(template.name)
      this.#scan(snapshot, template, wanted)
      await pause()
    }
    for (const name of wanted) {
      if (this.exists(name) || asked.has(name)) continue
      asked.add(name)
      const template = await snapshot.load(name)
      // A set hands out what is added to it on the way.
      if (template !== undefined) this.#scan(snapshot, { ...template, name }, wanted)
      await pause()
    }
  }

  exists (name: string): boolean {
    return this.templates.has(name) || this.broken.has(name)
  }

  /** The templates that a reference can mean; undefined stands for what cannot be told. */
  targets (from: Template, reference: Reference): Array<Template | undefined> {
    return reference.names.map(name => isKnown(name) ? this.templates.get(resolveName(from.name, name)) : undefined)
  }

  /** All ways from a template to the one that extends no other. */
  chains (template: Template): Chain[] {
    let chains = this.#chains.get(template)
    if (chains === undefined) this.#chains.set(template, chains = this.#extend(template))
    return chains
  }

  /** The body of a macro that a template calls. */
  macro (template: Template, { target, name }: Call): { template: Template, body: Part[] } | undefined {
    const own = target === undefined ? template.macros.get(name) : undefined
    if (own !== undefined) return { template, body: own }
    const imported = template.imports.get(target ?? name)
    if (imported === undefined || (imported.name === undefined) !== (target !== undefined)) return undefined
    const [source] = this.targets(template, imported.reference)
    const body = source?.macros.get(imported.name ?? name)
    return body && { template: source as Template, body }
  }

  #scan (snapshot: Snapshot, { name, source }: TemplateSource, wanted: Set<string>): void {
    let template
    try {
      template = scanTemplate(name, source, snapshot.parse(source))
    } catch (error) {
      this.broken.set(name, { name, message: explainFailure(error), ...placeOf(error as Error, source) })
      return
    }
    this.templates.set(name, template)
    for (const { names } of template.references) {
      for (const target of names) if (isKnown(target)) wanted.add(resolveName(name, target))
    }
  }

  #extend (leaf: Template): Chain[] {
    const chains: Chain[] = []
    const open = [[leaf]]
    for (const templates of open) {
      const last = templates.at(-1) as Template
      const references = last.references.filter(({ kind }) => kind === 'extends')
      if (references.every(({ conditional }) => conditional)) chains.push({ templates, complete: true })
      for (const parent of references.flatMap(reference => this.targets(last, reference))) {
        if (parent === undefined || templates.includes(parent)) chains.push({ templates, complete: false })
        else open.push([...templates, parent])
      }
      if (open.length > MOST_CHAINS) return [{ templates: [leaf], complete: false }]
    }
    return chains
  }
}

// Nunjucks does not say where a file ends, and an overflow of the stack has no place.
function placeOf (error: Error & { offset?: number, lineno?: number, colno?: number }, source: string): Position {
  const { line, column } = new Lines(source).position(error.offset ?? source.length)
  return { line: error.lineno ?? line, column: error.colno ?? column }
}

/** The full name of a template that another one names, maybe relative to itself. */
export function resolveName (from: string, name: string): string {
  return /^\.\.?\//.test(name) ? posix.join(posix.dirname(from), name) : name
}
