// Live views whose blocks, paths and changes lead nowhere.
import { HOLE, Patterns } from '../scan/pattern.js'
import type { Model } from '../scan/model.js'
import type { ViewFacts } from '../types.js'
import type { Rule } from './rule.js'

export const liveView: Rule = {
  category: 'live-view',
  severity: 'warning',
  summary: 'A live view sends a block that no element takes, or names a path that no block reads.',
  check (model, report) {
    const { source, snapshot: { views } } = model
    for (const view of views) {
      const { name, template, problem, placements, derive } = view
      const say = (message: string): void => report({ template, message: `Live view "${name}": ${message}` })
      if (problem !== undefined) {
        say(problem)
        continue
      }
      for (const { block, target } of placements) {
        if (!isPlaced(model, target)) say(`no element takes its block "${block}". Put {{ sse_swap("${target}") }} into the element around it, or correct the target in "blocks"`)
      }
      for (const path of derive.keys()) {
        if (view.follows!(path) === false) say(`no block reads "${path}", which "derive" computes. Correct the path, or remove it there`)
      }
      const circle = circleIn(derive)
      if (circle !== undefined) say(`"derive" goes round in a circle: ${circle.map(path => `"${path}"`).join(' of ')}. Remove one of them`)
    }
    if (views.length === 0 || views.some(({ problem }) => problem !== undefined)) return
    for (const { text, ...place } of source.changes) {
      const follows = views.map(view => view.follows!(text))
      if (follows.includes(true) || follows.includes(undefined)) continue
      report({ ...place, message: `No block of a live view reads "${text}", so this change has no effect. Correct the path, or add it to "reads" of the block that shows it` })
    }
  }
}

/** Whether an element takes what is sent to a target; one whose names are not known may. */
function isPlaced ({ elements }: Model, target: string): boolean {
  return elements.some(({ attributes }) => attributes.some(({ name, values }) => {
    if (name !== 'id' && name !== 'sse-swap') return false
    return values.some(value => value.split(',').some(part => part.trim() === target || (part.includes(HOLE) && new Patterns(new Set([part.trim()])).fit(target))))
  }))
}

function circleIn (derive: ViewFacts['derive']): string[] | undefined {
  const seen = new Set<string>()
  const visit = (path: string, way: string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path]
    if (seen.has(path)) return undefined
    seen.add(path)
    for (const source of derive.get(path) ?? []) {
      const circle = visit(source, [...way, path])
      if (circle !== undefined) return circle
    }
    return undefined
  }
  for (const path of derive.keys()) {
    const circle = visit(path, [])
    if (circle !== undefined) return circle
  }
  return undefined
}
