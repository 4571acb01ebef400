// Tells tap which files to measure: the library, by every test that loads it
// in its own process; not the example, nor what a browser or a README does.
// The script for browsers is measured there, by test/browser/check-coverage.js.
import { readdirSync } from 'node:fs'

const library = readdirSync(new URL('../../dist', import.meta.url), { recursive: true })
  .filter(name => name.endsWith('.js') && !name.startsWith('client/'))
  .map(name => `dist/${name}`)

export default test => /test\/(?:browser|docs)\//.test(test) ? null : library
