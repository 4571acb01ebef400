// The templates that an app can render: those in its folders, and others by name.
import { readdirSync, statSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { FST_CHIRP_TEMPLATE_NAME } from '../errors.js'
import type { WrittenTemplate } from '../render/nunjucks/host.js'
import type { AstNode } from '../render/nunjucks/internals.js'
import type { Library } from '../render/nunjucks/templates.js'
import type { Pause } from './pause.js'
import type { ContractIssue, TemplateSource } from './types.js'

/** Only these are looked for; a template of any other name is still found when something names it. */
const TEMPLATE = /\.(?:x?html?|njk|nunj|nunjucks|jinja2?|j2|tmpl|tpl)$/i

/** The templates of all environments of an app, told apart by what they hold. */
export class Templates {
  readonly issues: ContractIssue[] = []
  readonly #libraries: readonly Library[]
  readonly #read = new Map<string, TemplateSource | undefined>()
  readonly #owner = new Map<string, Library>()
  readonly #home = new Map<string, Library>()
  readonly #paths = new Map<string, string>()

  constructor (libraries: readonly Library[]) {
    this.#libraries = libraries
  }

  /** All that can be listed. A loader that looks into no folders keeps its templates to itself. */
  async list (pause: Pause): Promise<TemplateSource[]> {
    const names = new Set(this.#libraries.flatMap(library => library.folders.flatMap(namesIn)))
    const found: TemplateSource[] = []
    for (const name of [...names].sort()) {
      const template = await this.load(name)
      if (template !== undefined) found.push(template)
      await pause()
    }
    return found
  }

  /** A template of any name; undefined when there is none, or when it cannot be read, which is an issue. */
  async load (name: string): Promise<TemplateSource | undefined> {
    if (!this.#read.has(name)) this.#read.set(name, await this.#find(name))
    return this.#read.get(name)
  }

  /** Number of templates that were read. */
  get count (): number {
    return [...this.#read.values()].filter(template => template !== undefined).length
  }

  get hasTemplates (): boolean {
    return this.#libraries.length > 0
  }

  /** By the environment that the text came from, which may have tags and delimiters of its own. */
  parse (source: string): AstNode {
    const library = this.#owner.get(source) ?? this.#libraries[0] as Library
    return library.parse(source)
  }

  /** Whether the environment of a template that was found has a filter or a test. */
  knows (template: string, kind: 'filter' | 'test', name: string): boolean {
    return (this.#home.get(template) as Library).has(kind, name)
  }

  /** The file of a template, relative to the working directory; undefined when it comes from elsewhere. */
  fileOf (name: string): string | undefined {
    const path = this.#paths.get(name)
    return path !== undefined && isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true ? fromHere(path) : undefined
  }

  async #find (name: string): Promise<TemplateSource | undefined> {
    for (const library of this.#libraries) {
      const template = await this.#readFrom(library, name)
      if (template === undefined) continue
      const { source, path } = template
      this.#owner.set(source, library)
      this.#home.set(name, library)
      if (path !== undefined) this.#paths.set(name, path)
      return { name, source }
    }
    return undefined
  }

  async #readFrom (library: Library, name: string): Promise<WrittenTemplate | undefined> {
    try {
      return await library.read(name)
    } catch (error) {
      if (error instanceof FST_CHIRP_TEMPLATE_NAME) return undefined
      this.issues.push({
        severity: 'error',
        category: 'template-error',
        template: name,
        message: `The template cannot be loaded: ${(error as Error).message}. Fix the error that its loader reports`
      })
      return undefined
    }
  }
}

/** A path as messages and reports have it. */
export function fromHere (path: string): string {
  return relative(process.cwd(), path).replaceAll(sep, '/')
}

function namesIn (folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => name.replaceAll(sep, '/'))
    .filter(name => TEMPLATE.test(name) && !/(?:^|\/)(?:\.|node_modules\/)/.test(name))
}
