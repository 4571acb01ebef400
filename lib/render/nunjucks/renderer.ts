// Renders templates, and single blocks of them, to HTML.
import type { DialectOption } from '../../dialects/list.js'
import { FST_CHIRP_NO_TEMPLATES } from '../../errors.js'
import { checkName, createEnvironment, type TemplatesOption } from './environment.js'
import type { Subject } from './fault.js'
import { addSSEGlobals } from './globals/attributes.js'
import { addClientScript } from './globals/client-script.js'
import { addSignalGlobals } from './globals/signals.js'
import { addTests } from './globals/tests.js'
import { Host, type Twin } from './host.js'
import { Unpaged } from '../printed.js'
import type { OpenTemplate, PageStream, PrintedSignals, Renderer } from '../renderer.js'
import { isRenderTraced, traceRender } from '../telemetry.js'
import type { MaybePromise } from '../../util/promise.js'
import { BlockRenderer } from './plan.js'
import { Analysis } from './reads/analysis.js'
import { settle } from './settle.js'
import { Surroundings } from './surroundings.js'
import { Library } from './templates.js'
import { hearPromisesIn, variablesOf } from './variables.js'

export type { NunjucksEnvironment, TemplatesOption } from './environment.js'

export interface RendererOptions {
  /** Folder, list of folders, or `nunjucks.Environment`. Default: none, every call fails. */
  templates?: TemplatesOption | undefined
  /** For environments of the plugin: undefined variables throw, and edited templates show at once. */
  debug: boolean
  /** The dialect of sse_connect() and its like where a template does not say it. Default: `'auto'`, both. */
  dialect?: DialectOption | undefined
  /** The address of the client script, for `chirp_client()`. Default: there is no such function. */
  clientScript?: string | undefined
  /** The signals of the app, for `signal()` and `signal_attrs()`. Default: there are no such functions. */
  signals?: PrintedSignals | undefined
  /** The owner of the renders in messages of the diagnostics channels. Default: none. */
  app?: object | undefined
  /** Hears of failures that belong to no render. */
  report: (error: unknown, message: string) => void
  /** Milliseconds that an async filter, tag or loader may take. Default: 5000. */
  filterTimeout?: number | undefined
}

/** Nunjucks, and its templates as they are written. */
export interface NunjucksRenderer extends Renderer {
  /** Undefined without the option. */
  readonly library: Library | undefined
}

const FILTER_TIMEOUT = 5000

/**
 * A renderer for the `templates` option.
 *
 * @throws FST_CHIRP_OPTION when the option cannot be used.
 */
export function createRenderer ({ templates, debug, dialect = 'auto', clientScript, signals, app, report, filterTimeout = FILTER_TIMEOUT }: RendererOptions): NunjucksRenderer {
  if (templates === undefined) {
    const fail = (template: string): never => { throw new FST_CHIRP_NO_TEMPLATES(template, 'views') }
    const renderer: NunjucksRenderer = { renderBlock: fail, renderTemplate: fail, open: fail, for: () => renderer, learn: () => {}, library: undefined, reads: undefined }
    return renderer
  }
  const environment = createEnvironment(templates, debug)
  const host = new Host(environment, filterTimeout)
  addSSEGlobals(environment, host, dialect)
  addTests(environment, host.env)
  if (clientScript !== undefined) addClientScript(environment, host, clientScript)
  if (signals !== undefined) addSignalGlobals(environment, host, { signals, dialect })
  const blocks = new BlockRenderer(host)
  const reads = new Analysis(host)
  const surroundings = new Surroundings(environment === templates ? environment : undefined)

  function render (subject: Subject, context: object, beneath: object | undefined, page: PageStream | undefined): string | Promise<string> {
    if (!isRenderTraced()) return renderNow(subject, context, beneath, page)
    const { template, block } = subject
    return traceRender({ app, template, block }, () => renderNow(subject, context, beneath, page))
  }

  function renderNow (subject: Subject, context: object, beneath: object | undefined, page: PageStream | undefined): string | Promise<string> {
    if (page !== undefined || signals === undefined) return renderFor(subject, context, beneath, page)
    const unpaged = new Unpaged(signals)
    // While a filter was waited for, streams may have got newer values.
    const html = renderFor(subject, context, beneath, unpaged)
    return typeof html === 'string' ? html : html.then(html => unpaged.renewed(html))
  }

  function renderFor (subject: Subject, context: object, beneath: object | undefined, page: PageStream | undefined): string | Promise<string> {
    const { template, block } = subject
    checkName(template)
    return settle(host, subject, page, callback => {
      const variables = variablesOf(context, beneath)
      hear(template, variables)
      host.load(template, (error, twin) => {
        if (twin === undefined) callback(error)
        else blocks.render(twin, block, variables, callback)
      })
    })
  }

  function hear (template: string, variables: object): void {
    hearPromisesIn(variables, (name, error) => { report(error, `the promise "${name}" in a context of "${template}" failed`) })
  }

  function open (template: string, beneath: object | undefined): MaybePromise<OpenTemplate> {
    checkName(template)
    return settle<OpenTemplate>(host, { template }, undefined, callback => {
      host.load(template, (error, twin) => {
        if (twin === undefined) callback(error)
        else callback(null, opened(template, twin, beneath))
      })
    })
  }

  function opened (template: string, twin: Twin, beneath: object | undefined): OpenTemplate {
    let isFirst = true
    return {
      reads: () => reads.of(template, twin),
      render (block, context, page) {
        const run = (): MaybePromise<string> => settle<string>(host, { template, block }, page, callback => {
          const variables = variablesOf(context, beneath)
          if (isFirst) hear(template, variables)
          isFirst = false
          blocks.render(twin, block, variables, callback)
        })
        return isRenderTraced() ? traceRender({ app, template, block }, run) : run()
      }
    }
  }

  const renderer: NunjucksRenderer = {
    renderBlock: (template, block, context, page) => render({ template, block }, context, surroundings.own, page),
    renderTemplate: (template, context, page) => render({ template }, context, surroundings.own, page),
    open: template => open(template, surroundings.own),
    for (reply) {
      const beneath = surroundings.of(reply)
      if (beneath === surroundings.own) return renderer
      return {
        ...renderer,
        renderBlock: (template, block, context, page) => render({ template, block }, context, beneath, page),
        renderTemplate: (template, context, page) => render({ template }, context, beneath, page),
        open: template => open(template, beneath)
      }
    },
    learn: app => surroundings.learn(app),
    library: new Library(environment, host, environment === templates),
    reads
  }
  return renderer
}
