// htmx 4: its extension is given one answer that does not end before the stream
// is over for good. Behind it the stream reconnects, so that the extension never
// has to do so itself.
import type { RequestContext, SwapTask } from './htmx.js'
import { tend } from './lists.js'
import { openStream } from './stream.js'

/** Takes part when htmx 4 makes requests; without it nothing happens. */
export function joinHtmx4 (): void {
  document.addEventListener('htmx:config:request', event => {
    const { ctx } = (event as CustomEvent<{ ctx: RequestContext }>).detail
    const { sourceElement: element, request } = ctx
    // The element may make other requests too.
    if (request.action === element.getAttribute('hx-sse:connect')) ctx.fetch = (action, init) => connect(element, action, init)
  })
  document.addEventListener('htmx:before:swap', event => {
    const { ctx, tasks } = (event as CustomEvent<{ ctx: RequestContext, tasks: SwapTask[] }>).detail
    if (ctx.sourceElement?.hasAttribute('hx-sse:connect')) for (const task of [...tasks]) tendTask(task, tasks)
  })
}

function connect (element: Element, action: string, init: RequestInit): Response {
  // It would reconnect by itself: when the page is shown again, and at the end.
  Object.assign(htmx.config.sse ??= {}, { pauseOnBackground: false, reconnect: false })
  const life = new AbortController()
  const frames = openStream(element, 'hx-sse:connect', action, init, life)
  const body = new ReadableStream<string>({
    async pull (output) {
      const { value } = await frames.next()
      if (value) output.enqueue(`${value.text}\n\n`)
      else output.close()
    },
    cancel () { life.abort() }
  })
  return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { 'Content-Type': 'text/event-stream' } })
}

/** What has to happen to a list besides is done in the same swap. */
function tendTask ({ target, swapSpec: { style, strip }, fragment }: SwapTask, tasks: SwapTask[]): void {
  const join = ({ beforeend: 'append', afterbegin: 'prepend' } as const)[style]
  if (!target || !join) return
  const wrapper = strip && fragment.firstElementChild
  const content = wrapper ? (wrapper as HTMLTemplateElement).content ?? wrapper : fragment
  // Another one of this swap, which is counted with it.
  const later = tasks.slice(tasks.findIndex(task => task.fragment === fragment) + 1)
  for (const other of later) {
    if (other.target === target && other.swapSpec.style === style && !strip && !other.swapSpec.strip) content[join](other.fragment)
  }
  tend(target, style, content, (child, replacement = new DocumentFragment()) => tasks.push({
    target: child, swapSpec: { style: replacement.firstChild ? 'outerHTML' : 'delete', settle: 0 }, fragment: replacement
  }))
}
