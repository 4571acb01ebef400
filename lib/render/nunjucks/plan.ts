// Renders one block without the rest of its page. A plan belongs to a chain of
// templates, leaf first; which template comes next is known when the last one
// has run its `extends`, so plans form a tree that grows as chains are met.
import type { BlockWatcher } from '../renderer.js'
import { extension, findRoute, outline, prune, type Outline, type Step } from './block-path.js'
import { Fault, MissingBlock } from './fault.js'
import type { Host, Twin } from './host.js'
import { includedWith } from './included.js'
import type { AstNode, Callback, Context, Environment, Frame, RenderFunction, Template } from './internals.js'
import { untilAnswered, watch } from './recorded.js'

/** One step on the way to the block. */
interface Hop {
  run: RenderFunction
  /** What super() means in that part. */
  parent: RenderFunction | undefined
}

interface Plan {
  chain: Twin[]
  block: string
  /** As Nunjucks has it: for each name the functions from the leaf to the base. */
  blocks: Record<string, RenderFunction[]>
  /** The top level of the last template; undefined if it has nothing to run. */
  root: RenderFunction | undefined
  hops: Hop[]
  /** A precompiled template cannot be pruned: everything runs up to the block. */
  whole: boolean
  next: WeakMap<Twin, Plan>
}

// The tag that leads on, and the part around it, as compiled.
const HOP = 'chirp_hop'
const PART = 'chirp_part'

/** Renders blocks of the templates of one host. */
export class BlockRenderer {
  readonly #host: Host
  readonly #plans = new WeakMap<Twin, Map<string, Plan>>()
  /** The environment for the way to the block: what a template extends comes back to us. */
  readonly #env: Environment
  #Context: ContextClass | undefined

  constructor (host: Host) {
    this.#host = host
    const getTemplate: Environment['getTemplate'] = (name, eager, parentName, ignoreMissing, callback) => {
      // Only extends asks for an eager compile.
      return host.env.getTemplate(name, eager, parentName, ignoreMissing, eager === true
        ? (error: unknown, template: Template) => (callback as Callback<unknown>)(error, error ? undefined : link(template))
        : callback)
    }
    this.#env = Object.assign(Object.create(host.env), { getTemplate })
    // Stands for a parent in compiled code.
    const link = (template: Template): Partial<Template> => ({
      blocks: {},
      rootRenderFunc: (env, context, frame) => ((context as BlockContext).walk as Walk).extend(host.twinOf(template), frame)
    })
  }

  /** Renders a block, or the whole template without one. */
  render (twin: Twin, block: string | undefined, variables: object, answer: Callback<string>): void {
    const host = this.#host
    const callback = untilAnswered(variables, answer)
    const Context = this.#Context ??= createContextClass(host.nunjucks.Context)
    const context = new Context(host.env, variables)
    context.watcher = host.current.page?.watcher
    watch(context)
    if (block === undefined) {
      for (const [name, render] of Object.entries(twin.template.blocks)) context.blocks[name] = [render]
      twin.template.rootRenderFunc(host.env, context, host.frame(), host.runtime, callback)
      return
    }
    let plans = this.#plans.get(twin)
    if (plans === undefined) this.#plans.set(twin, plans = new Map())
    let plan = plans.get(block)
    if (plan === undefined) plans.set(block, plan = createPlan(host, [twin], block))
    context.walk = new Walk(host, this.#env, plan, context, (error, html) => {
      // Names that do not exist must not fill the memory.
      if (error instanceof MissingBlock) plans.delete(block)
      callback(error, html)
    })
    context.walk.start(host.frame())
  }
}

// One render on its way.
class Walk {
  readonly #host: Host
  readonly #env: Environment
  readonly #context: BlockContext
  readonly #callback: Callback<string>
  #plan: Plan
  #position = 0

  constructor (host: Host, env: Environment, plan: Plan, context: BlockContext, callback: Callback<string>) {
    this.#host = host
    this.#env = env
    this.#plan = plan
    this.#context = context
    this.#callback = callback
  }

  start (frame: Frame): void {
    const { root, blocks } = this.#plan
    this.#context.blocks = blocks
    if (root === undefined) return this.#hop(frame)
    root(this.#env, this.#context, frame, this.#host.runtime, error => {
      if (error) this.#callback(error)
      // No tag places the block.
      else this.#finish(frame)
    })
  }

  extend (parent: Twin, frame: Frame): void {
    const { chain, block, next } = this.#plan
    let plan = next.get(parent)
    if (plan === undefined) next.set(parent, plan = createPlan(this.#host, [...chain, parent], block))
    this.#plan = plan
    this.start(frame)
  }

  // Answers the tag that leads on.
  block (name: string): RenderFunction | undefined {
    const { whole, block } = this.#plan
    return name === (whole ? block : HOP) ? (env, context, frame) => this.#hop(frame) : undefined
  }

  super (name: string, block: RenderFunction): RenderFunction | undefined {
    const { whole, blocks, hops } = this.#plan
    return whole ? superOf(blocks, name, block) : hops[this.#position - 1]?.parent
  }

  #hop (frame: Frame): void {
    const hop = this.#plan.hops[this.#position++]
    if (hop === undefined) return this.#finish(frame)
    // It ends with the next hop, so it only ever answers with an error.
    hop.run(this.#env, this.#context, frame, this.#host.runtime, this.#callback)
  }

  #finish (frame: Frame): void {
    const { block, blocks, chain } = this.#plan
    const render = blocks[block]?.[0]
    if (render === undefined) return this.#callback(missingBlock(this.#host, chain, block, blocks))
    const context = this.#context
    context.walk = undefined
    render(this.#host.env, context, frame, this.#host.runtime, this.#callback)
  }
}

function createPlan (host: Host, chain: Twin[], block: string): Plan {
  const twin = chain.at(-1) as Twin
  if (chain.indexOf(twin) !== chain.length - 1) {
    throw new Fault(new Error(`templates extend each other in a circle: ${chain.map(({ label }) => label).join(' -> ')}`), host.site)
  }
  const blocks = blocksOf(chain)
  const base = { chain, block, blocks, next: new WeakMap() }
  if (chain.some(({ source }) => source === undefined)) {
    return { ...base, whole: true, root: twin.template.rootRenderFunc, hops: [] }
  }
  const { nunjucks } = host
  const outlines = chain.map(({ source, template }) => outline(nunjucks, host.parse(source as string), Object.keys(template.blocks)))
  const { root } = outlines.at(-1) as Outline
  const extending = extension(nunjucks, root)
  if (extending === 'never' && blocks[block] === undefined) throw missingBlock(host, chain, block, blocks)
  const [top, ...steps] = extending === 'always' ? [] : findRoute(nunjucks, outlines, block) ?? []
  const statements = prune(nunjucks, root, top?.tag, hopTag(), extending === 'maybe')
  root.children = statements
  const direct = statements.length === 1 && statements[0]?.typename === 'Block'
  return {
    ...base,
    whole: false,
    root: direct ? undefined : host.compile(root, twin.label, twin.template.path).rootRenderFunc,
    hops: steps.map(createHop)
  }

  function hopTag (): AstNode {
    return nunjucks.node('Block', nunjucks.node('Symbol', HOP), nunjucks.node('NodeList'))
  }

  function createHop ({ level, block, scope, tag }: Step): Hop {
    const { template, label } = chain[level] as Twin
    const body = nunjucks.node('NodeList', prune(nunjucks, scope, tag, hopTag()))
    const part = nunjucks.node('Block', nunjucks.node('Symbol', PART), body)
    const compiled = host.compile(nunjucks.node('Root', [part]), label, template.path)
    const name = block as string
    return { run: compiled.blocks[PART] as RenderFunction, parent: superOf(blocks, name, template.blocks[name] as RenderFunction) }
  }
}

function missingBlock (host: Host, chain: Twin[], block: string, blocks: Plan['blocks']): MissingBlock {
  return new MissingBlock(Object.keys(blocks), includedWith(host, chain, block))
}

function blocksOf (chain: Twin[]): Record<string, RenderFunction[]> {
  const blocks: Record<string, RenderFunction[]> = Object.create(null)
  for (const { template } of chain) {
    for (const [name, render] of Object.entries(template.blocks)) (blocks[name] ??= []).push(render)
  }
  return blocks
}

function superOf (blocks: Record<string, RenderFunction[]>, name: string, block: RenderFunction): RenderFunction | undefined {
  const functions = blocks[name] as RenderFunction[]
  return functions[functions.indexOf(block) + 1]
}

function watched (name: string, render: RenderFunction, watcher: BlockWatcher): RenderFunction {
  return (env, context, frame, runtime, callback) => {
    const leave = watcher.enter(name, frame.lookup('loop') !== undefined)
    if (leave === undefined) return render(env, context, frame, runtime, callback)
    let isOver = false
    render(env, context, frame, runtime, (error, html) => {
      // Compiled code answers again when what its answer has led to throws.
      if (isOver) return callback(error)
      isOver = true
      let result: string
      try {
        result = leave(error ?? undefined, html)
      } catch (error) {
        return callback(error)
      }
      callback(null, result)
    })
  }
}

interface BlockContext extends Context {
  walk: Walk | undefined
  watcher: BlockWatcher | undefined
}

type ContextClass = new (env: Environment, variables: object) => BlockContext

// Nunjucks' own constructor copies variable by variable, and keeps blocks in an
// object that inherits `constructor`.
function createContextClass (Base: new () => Context): ContextClass {
  const base = Base.prototype as Context
  class OwnContext {
    exported: string[] = []
    blocks: Record<string, RenderFunction[]> = Object.create(null)
    walk: Walk | undefined = undefined
    watcher: BlockWatcher | undefined = undefined
    ctx: object
    env: Environment

    constructor (env: Environment, variables: object) {
      this.env = env
      this.ctx = variables
    }

    getBlock (this: BlockContext, name: string): RenderFunction {
      if (this.walk !== undefined) return this.walk.block(name) ?? base.getBlock.call(this, name)
      const render = base.getBlock.call(this, name)
      return this.watcher === undefined ? render : watched(name, render, this.watcher)
    }

    getSuper (...[env, name, block, frame, runtime, callback]: Parameters<Context['getSuper']>): void {
      const parent = this.walk === undefined ? superOf(this.blocks, name, block) : this.walk.super(name, block)
      // It runs before any statement of the body, so its place is not known.
      if (parent === undefined) throw new Fault(new Error(`no super block available for "${name}"`), undefined)
      parent(env, this as unknown as Context, frame, runtime, callback)
    }
  }
  Object.setPrototypeOf(OwnContext.prototype, base)
  return OwnContext as unknown as ContextClass
}
