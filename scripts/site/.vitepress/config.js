// The site of the documentation, which scripts/docs.js builds. Its menu is that of docs/README.md.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const site = fileURLToPath(new URL('../../../.site', import.meta.url))
const index = readFileSync(new URL('../../../docs/README.md', import.meta.url), 'utf8')

const sidebar = index.split(/^## /m).slice(1).map(section => ({
  text: section.split('\n', 1)[0],
  items: [...section.matchAll(/^\| \[(.+?)\]\((.+?)\.md\)/gm)].map(([, text, path]) => ({ text, link: `/docs/${path}` }))
}))
sidebar.find(({ text }) => text === 'Reference').items.push({ text: 'API', link: '/docs/api/' })

export default defineConfig({
  title: 'fastify-chirp',
  description: 'Live HTML for Fastify',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: `${site}/source`,
  outDir: `${site}/html`,
  cacheDir: `${site}/cache`,
  rewrites: { 'README.md': 'index.md', 'docs/README.md': 'docs/index.md' },
  // Addresses that only exist on the reader's machine, and files that are copied (FILES in scripts/docs.js).
  ignoreDeadLinks: [/^https?:\/\/(?:localhost|127)/, /\.(?:js|json|sql)$/, /\/LICENSE$/],
  // Templates of Nunjucks are not Vue's.
  markdown: {
    config: md => {
      const render = md.renderer.rules.code_inline
      md.renderer.rules.code_inline = (...args) => render(...args).replace('<code', '<code v-pre')
    }
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    nav: [{ text: 'Guide', link: '/docs/' }, { text: 'Recipes', link: '/docs/guide/recipes' }, { text: 'API', link: '/docs/api/' }]
  }
})
