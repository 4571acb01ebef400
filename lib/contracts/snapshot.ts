// The app at one moment: its routes, templates and source files.
import type { ContractOptions } from './options.js'
import { createPause } from './pause.js'
import type { Registered } from './registered.js'
import { RouteTable } from './routes.js'
import { readSources } from './sources.js'
import { Templates } from './templates.js'
import type { Snapshot } from './types.js'

/**
 * Looks at the whole app, whichever of its registrations was asked. `templates`
 * also knows their files, and which of them could not be read.
 */
export async function takeSnapshot (registration: Registered, options: ContractOptions, signal?: AbortSignal): Promise<{ snapshot: Snapshot, templates: Templates }> {
  const { root, siblings } = registration
  const pause = createPause(signal)
  const table = await RouteTable.create(root, siblings.flatMap(({ routes }) => routes), options.external ?? [], pause)
  const templates = new Templates(siblings.map(({ renderer }) => renderer.library).filter(library => library !== undefined))
  return {
    templates,
    snapshot: {
      routes: table.routes,
      unseen: table.unseen.filter(({ url }) => !siblings.some(({ script }) => script === url)),
      match: (method, path) => table.match(method, path),
      matchAny: path => table.matchAny(path),
      templates: await templates.list(pause),
      hasTemplates: templates.hasTemplates,
      sharesViews: siblings.some(({ app, renderer }) => renderer.library?.isShared === true && app.hasReplyDecorator('view')),
      knows: (template, kind, name) => templates.knows(template, kind, name),
      load: name => templates.load(name),
      parse: source => templates.parse(source),
      signals: new Set(siblings.flatMap(({ declared }) => [...declared.signals()])),
      views: (await Promise.all(siblings.map(({ declared }) => declared.views()))).flat(),
      sources: await readSources(options.sources, siblings.flatMap(({ options }) => options?.sources ?? []), pause)
    }
  }
}
