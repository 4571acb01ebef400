// The templates that a template names, and that those name.
import type { Host, Twin } from '../host.js'
import type { AstNode, Template } from '../internals.js'
import { Levels, type Level } from './chain.js'

/** A template that another one names; undefined when it cannot be loaded. */
interface Link {
  from: Twin
  name: string
  to: Twin | undefined
}

/** All templates of one analysis. */
export interface Sources {
  readonly links: readonly Link[]
  level (twin: Twin): Level
  follow (from: Twin, name: string): Twin | undefined
}

/** All names that an expression may give, or undefined if they are not known. */
export function namesIn (node: AstNode): string[] | undefined {
  if (node.typename === 'Literal') return [String(node.value)]
  if (node.typename === 'Group' && node.children.length === 1) return namesIn(node.children[0] as AstNode)
  if (node.typename !== 'InlineIf' || node.else_ === null) return undefined
  const [body, other] = [namesIn(node.body), namesIn(node.else_ as AstNode)]
  return body && other && [...body, ...other]
}

/** Loads them. */
export class Loader {
  readonly #host: Host
  readonly #levels: Levels

  constructor (host: Host) {
    this.#host = host
    this.#levels = new Levels(host)
  }

  gather (leaf: Twin, callback: (sources: Sources) => void): void {
    const links: Link[] = []
    const byTwin = new Map<Twin, Map<string, Twin | undefined>>()
    const open = [leaf]
    const next = (): void => {
      const twin = open.pop()
      if (twin === undefined) {
        return callback({ links, level: twin => this.#levels.of(twin), follow: (from, name) => byTwin.get(from)?.get(name) })
      }
      if (byTwin.has(twin)) return next()
      const targets = new Map<string, Twin | undefined>()
      byTwin.set(twin, targets)
      this.#loadAll([...this.#namesOf(twin)].map(name => ({ from: twin, name })), link => {
        links.push(link)
        targets.set(link.name, link.to)
        if (link.to !== undefined) open.push(link.to)
      }, next)
    }
    next()
  }

  /** Whether each name still leads to the same template. */
  check (links: readonly Link[], callback: (isSame: boolean) => void): void {
    let isSame = true
    this.#loadAll(links, ({ to }, index) => { isSame &&= links[index]?.to === to }, () => callback(isSame))
  }

  #loadAll (wanted: ReadonlyArray<Omit<Link, 'to'>>, found: (link: Link, index: number) => void, done: () => void): void {
    let index = 0
    // A loop instead of calls for what answers at once.
    const next = (): void => {
      while (index < wanted.length) {
        const at = index++
        const { from, name } = wanted[at] as Link
        let isAtOnce: boolean | undefined
        this.#load(from, name, to => {
          found({ from, name, to }, at)
          if (isAtOnce === undefined) isAtOnce = true
          else next()
        })
        if (isAtOnce === undefined) {
          isAtOnce = false
          return
        }
      }
      done()
    }
    next()
  }

  // A template that cannot be loaded renders nothing: its render fails with an error.
  #load ({ template: { path } }: Twin, name: string, callback: (twin: Twin | undefined) => void): void {
    try {
      this.#host.env.getTemplate(name, false, path, false, (_: unknown, template?: Template) => {
        callback(template && this.#host.twinOf(template))
      })
    } catch {
      callback(undefined)
    }
  }

  #namesOf (twin: Twin): Set<string> {
    const names = new Set<string>()
    for (const tag of this.#levels.of(twin).survey?.naming ?? []) for (const name of namesIn(tag.template as AstNode) ?? []) names.add(name)
    return names
  }
}
