// The part of an app that a check has seen.
import type { Extent, Snapshot } from './types.js'
import { isSendable } from './scan/route-index.js'

/** Nothing at all. */
export const NOTHING: Extent = { templates: 0, routes: 0, routesRead: 0, routesUnread: 0 }

/** The parts that were checked, and the routes that are out of sight. Methods that no page sends do not count. */
export function extentOf ({ routes, unseen }: Pick<Snapshot, 'routes' | 'unseen'>, templates: number): { extent: Extent, unread: string[] } {
  const isRead = new Map<string, boolean>()
  for (const { method, url } of unseen) if (isSendable(method)) isRead.set(`${method} ${url}`, false)
  for (const { method, url, isStream, isStatic } of routes) if (isSendable(method)) isRead.set(`${method} ${url}`, isStream !== undefined || isStatic)
  const unread = [...isRead].filter(([, read]) => !read).map(([route]) => route).sort()
  return {
    unread,
    extent: { templates, routes: isRead.size, routesRead: isRead.size - unread.length, routesUnread: unread.length }
  }
}
