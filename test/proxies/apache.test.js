// Apache, with docs/examples/proxies/apache.conf.
import t from 'tap'
import { addCases } from './cases.js'
import { startStation } from './station.js'

addCases(await startStation(t, 'apache'), { notices: false })
