// Builds the script for browsers: one classic script, and its types.
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
