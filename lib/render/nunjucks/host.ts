// A private view of the user's environment. Templates are found and cached by
// the user's own environment, which does not notice: twins of them are compiled, which note
// places, take care of callbacks, and load further twins.
import { posix } from 'node:path'
import { isError } from '../../util/thrown.js'
import { Current } from './current.js'
import { Fault, MissingTemplate, StrayTemplate, Timeout, toFault, type Site } from './fault.js'
import { ASYNC_TAG, instrument } from './instrument.js'
import {
  Nunjucks, type AnyFunction, type AstNode, type Callback, type Environment, type Frame, type Runtime, type Template
} from './internals.js'
import { watch } from './recorded.js'
import { createRuntime } from './runtime.js'

/** Our own compiled form of one template. */
export interface Twin {
  template: Template
  /** The name for messages. */
  label: string
  /** Undefined if the template came precompiled. */
  source: string | undefined
}

/** The text of a template, and where its loader found it. */
export interface WrittenTemplate {
  path: string | undefined
  source: string
}

/** Loads twins, and is the environment that they run in. */
export class Host {
  /** The environment for compiled templates; inherits from the user's. */
  readonly env: Environment
  readonly current = new Current()
  readonly #timeout: number
  readonly #user: Environment
  readonly #twins = new WeakMap<Template, Twin>()
  // With noCache the user's environment makes a new template on each load; the
  // text tells whether our twin is still right.
  readonly #byPath = new Map<string, Twin>()
  #nunjucks: Nunjucks | undefined
  readonly #runtime = createRuntime()

  constructor (user: Environment, timeout: number) {
    this.#user = user
    this.#timeout = timeout
    this.env = this.#derive()
  }

  /** Only there once a template was loaded, which is how its copy of Nunjucks is reached. */
  get nunjucks (): Nunjucks {
    return this.#nunjucks as Nunjucks
  }

  get runtime (): Runtime {
    return this.#runtime
  }

  /** The place of the statement that runs now. */
  get site (): Site | undefined {
    return this.#runtime.site
  }

  frame (): Frame {
    const frame = new this.nunjucks.Frame()
    frame.topLevel = true
    return frame
  }

  /** Loads the template that a caller names. */
  load (name: string, callback: Callback<Twin>): void {
    this.#runtime.site = undefined
    this.#load(name, undefined, false, callback)
  }

  /** The twin behind a template that {@link env} loaded. */
  twinOf (template: Template): Twin {
    return this.#twins.get(template) as Twin
  }

  /** A template as it was written, not compiled; undefined when there is none, or only a compiled form. */
  read (name: string): Promise<WrittenTemplate | undefined> {
    return new Promise((resolve, reject) => {
      this.#answer<Template>((error, template) => {
        if (error === null) resolve(template && this.#written(template))
        else reject(error)
      }, done => this.#ask(name, undefined, false, (error, template) => {
        done(isNotFound(error) ? null : error, template)
      }))
    })
  }

  /** The syntax tree of a template, to be pruned and compiled. */
  parse (source: string): AstNode {
    return this.nunjucks.parse(source, this.env)
  }

  /** Compiles a syntax tree, which is changed. */
  compile (root: AstNode, label: string, path: string | undefined): Template {
    instrument(this.nunjucks, root, label, this.#user.opts.throwOnUndefined)
    return this.nunjucks.compile(root.children, this.env, path)
  }

  #derive (): Environment {
    const user = this.#user
    // Outputs are checked by our own compiled code, and Nunjucks drops causes without `dev`.
    const opts = Object.assign(Object.create(user.opts), { dev: true, throwOnUndefined: false })
    const own: Partial<Environment> = {
      opts,
      getTemplate: (name, ...rest) => this.#getTemplate(name, rest),
      getFilter: name => {
        const filter = user.getFilter(name)
        if (!user.asyncFilters.includes(name)) return filter
        const host = this
        return function (this: unknown, ...args) { return host.#call(filter, this, args) }
      },
      getExtension: name => {
        if (!name.startsWith(ASYNC_TAG)) return user.getExtension(name)
        const extension = user.getExtension(name.slice(ASYNC_TAG.length)) as Record<string | symbol, AnyFunction>
        return new Proxy(extension, {
          get: (_, method) => (...args: unknown[]) => this.#call(extension[method] as AnyFunction, extension, this.current.bind(args))
        })
      }
    }
    return Object.assign(Object.create(user), own)
  }

  // Nunjucks takes (name, callback), (name, eager, callback) and all five.
  #getTemplate (name: unknown, rest: unknown[]): Template | undefined {
    const callback = rest.find(value => typeof value === 'function') as Callback<Template> | undefined
    const [, parentName, ignoreMissing] = rest.filter(value => typeof value !== 'function')
    if (callback !== undefined) {
      this.#load(name, parentName, ignoreMissing, (error, twin) => callback(error, twin?.template))
      return undefined
    }
    const template = this.#ask(name, parentName, ignoreMissing)
    return template && this.#twin(template, name, parentName).template
  }

  #load (name: unknown, parentName: unknown, ignoreMissing: unknown, callback: Callback<Twin>): void {
    const { site } = this
    this.#answer<Template>((error, template) => {
      if (error === null) callback(null, this.#twin(template as Template, name, parentName))
      else callback(error)
    }, done => {
      try {
        this.#ask(name, parentName, ignoreMissing, (error, template) => { done(missing(error, name, site) ?? error, template) })
      } catch (error) {
        throw missing(error, name, site) ?? error
      }
    })
  }

  // Nunjucks keeps templates in plain objects, where it finds `constructor` before any loader is asked.
  #ask (name: unknown, parentName: unknown, ignoreMissing: unknown, callback?: Callback<Template>): Template | undefined {
    const rest = callback === undefined ? [] : [callback]
    return typeof name === 'string' && name in Object.prototype
      ? this.#user.getTemplate(`./${name}`, false, undefined, ignoreMissing, ...rest)
      : this.#user.getTemplate(name, false, parentName, ignoreMissing, ...rest)
  }

  #twin (original: Template, name: unknown, parentName: unknown): Twin {
    const known = this.#twins.get(original)
    if (known !== undefined) return known
    const { path, tmplStr: source } = original
    const same = this.#byPath.get(path as string)
    const twin = same !== undefined && same.source === source ? same : this.#createTwin(original, this.#label(name, path, parentName))
    this.#twins.set(original, twin).set(twin.template, twin)
    if (source !== undefined && typeof path === 'string') this.#byPath.set(path, twin)
    return twin
  }

  #label (name: unknown, path: string | undefined, parentName: unknown): string {
    if (typeof name !== 'string') return path ?? 'template'
    const parent = name.startsWith('.') ? this.#byPath.get(parentName as string) : undefined
    return parent === undefined ? name : posix.join(posix.dirname(parent.label), name)
  }

  #written (original: Template): WrittenTemplate | undefined {
    this.#learn(original)
    const { path, tmplStr: source } = original
    return source === undefined ? undefined : { path, source }
  }

  #learn (original: Template): void {
    if (this.#nunjucks !== undefined) return
    this.#nunjucks = new Nunjucks(original)
    Object.setPrototypeOf(this.#runtime, this.#nunjucks.runtime)
  }

  #createTwin (original: Template, label: string): Twin {
    this.#learn(original)
    const { path, tmplStr: source } = original
    const template = source === undefined
      ? this.nunjucks.adopt(original.tmplProps as object, this.env, path)
      : this.#compileSource(source, label, path)
    // Nunjucks hands its own runtime to included and imported templates.
    const root = template.rootRenderFunc
    template.rootRenderFunc = (env, context, frame, _, callback) => {
      watch(context)
      root(env, context, frame, this.#runtime, callback)
    }
    return { template, label, source }
  }

  #compileSource (source: string, label: string, path: string | undefined): Template {
    try {
      return this.compile(this.parse(source), label, path)
    } catch (error) {
      // Errors of the parser count from one, and do not know where a file ends.
      const { lineno = '', colno = '' } = error as { lineno?: number, colno?: number }
      throw new Fault(error, `${lineno}:${colno}:${label}`)
    }
  }

  // Calls a function of the user that may answer by callback. One that is used
  // where Nunjucks cannot wait gets no callback.
  #call (f: AnyFunction, self: unknown, args: unknown[]): unknown {
    const callback = args.at(-1)
    if (typeof callback !== 'function') return Reflect.apply(f, self, args)
    this.#answer(callback as Callback<unknown>, done => {
      const promise = Reflect.apply(f, self, [...args.slice(0, -1), done])
      if (promise instanceof Promise) promise.catch(error => done(error ?? new Error('rejected without a reason')))
    })
    return undefined
  }

  // Compiled code behind a callback runs outside of any try, twice if it is
  // called twice, and never if it is not. `callback` gets null or a Fault.
  #answer<T> (callback: (error: Fault | null, result?: T) => void, start: (done: Callback<T>) => unknown): void {
    const { site } = this
    const { page } = this.current
    let open = true
    const watchdog: { timer?: NodeJS.Timeout } = {}
    const done: Callback<T> = (error, result) => {
      if (!open) return
      open = false
      clearTimeout(watchdog.timer)
      this.#runtime.site = site
      this.current.within(page, () => {
        if (error) return callback(toFault(error, site))
        try {
          callback(null, result)
        } catch (error) {
          callback(toFault(error, this.site))
        }
      })
    }
    try {
      start(done)
    } catch (error) {
      open = false
      throw toFault(error, site)
    }
    if (!open) return
    watchdog.timer = setTimeout(() => done(new Timeout(this.#timeout, site)), this.#timeout).unref()
  }
}

function missing (error: unknown, name: unknown, site: Site | undefined): MissingTemplate | undefined {
  if (isNotFound(error)) return new MissingTemplate(String(name), site)
  return isError(error) && error instanceof StrayTemplate ? new MissingTemplate(String(name), site, error) : undefined
}

// Nunjucks has no class for it.
function isNotFound (error: unknown): boolean {
  return isError(error) && error.message.startsWith('template not found: ')
}
