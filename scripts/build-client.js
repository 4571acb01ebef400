// Builds the script for browsers, one classic script, and the module by which
// the server has its text.
import { readFileSync, writeFileSync } from 'node:fs'
import { buildSync } from 'esbuild'

buildSync({
  entryPoints: ['lib/client/index.ts'],
  outfile: 'dist/client/client.js',
  bundle: true,
  minify: true,
  format: 'iife',
  // What has private fields, and streams of text.
  target: 'es2022',
  // The directive would cost bytes, and the code does not depend on it.
  tsconfigRaw: { compilerOptions: { alwaysStrict: false } }
})

const text = readFileSync('dist/client/client.js', 'utf8')
writeFileSync('dist/script-text.js', `export const SCRIPT = ${JSON.stringify(text)}\n`)
