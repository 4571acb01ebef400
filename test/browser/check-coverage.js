// Runs after all tests: when those of the client script were among them, every
// part of it has to have run in a browser.
import { readdirSync, readFileSync } from 'node:fs'
import { missedIn } from './coverage.js'

const files = readdirSync(new URL('.', import.meta.url)).filter(name => /^client.*\.test\.js$/.test(name))
const missed = missedIn(files, readFileSync(new URL('../../dist/client/client.js', import.meta.url), 'utf8'))
if (missed?.length > 0) {
  console.error(`Parts of the client script that no test runs:\n${missed.join('\n')}`)
  process.exitCode = 1
}
