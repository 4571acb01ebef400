// Caddy, with docs/examples/proxies/Caddyfile.
import t from 'tap'
import { addCases } from './cases.js'
import { startStation } from './station.js'

addCases(await startStation(t, 'caddy'), { cuts: false })
