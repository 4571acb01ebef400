// The servers of all contestants and their one client, as child processes.
import { start } from './child.js'

export const startServer = (name) => start(`servers/${name}.js`)

export const startClient = () => start('client/client.js')

/** A client that only counts, for the fan-out suite. */
export const startHolder = () => start('client/holder.js')

/**
 * For a suite that measures warm servers: starts one of each name, runs
 * `suite(servers, client)` and stops them all. After an error the end of the
 * run stops them (see run.js).
 */
export async function withServers (names, suite) {
  const client = await startClient()
  const servers = new Map(await Promise.all(names.map(async (name) => [name, await startServer(name)])))
  const result = await suite(servers, client)
  await Promise.all([client, ...servers.values()].map((child) => child.stop()))
  return result
}
