// What the plugin adds to Fastify, as a page: TypeDoc leaves out what a module adds to another one.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const FILE = fileURLToPath(new URL('../lib/fastify.ts', import.meta.url))

/** The members of the interfaces in `declare module 'fastify'`, with their comments, as Markdown. */
export function additions () {
  const source = ts.createSourceFile(FILE, readFileSync(FILE, 'utf8'), ts.ScriptTarget.ES2023, true)
  const { statements } = source.statements.find(ts.isModuleDeclaration).body
  const parts = statements.filter(ts.isInterfaceDeclaration).flatMap(({ name, members }) =>
    [`## ${name.text}\n`, ...members.filter(({ jsDoc }) => jsDoc !== undefined).map(member => described(member, source))])
  return `# Additions to Fastify\n\n${parts.join('\n')}`
}

function described (member, source) {
  const tags = ts.getJSDocTags(member).map(tag => `- *${tag.tagName.text}* ${textOf(tag.comment)}`)
  return `### ${member.name.getText(source)}\n\n\`\`\`ts\n${member.getText(source)}\n\`\`\`\n\n${textOf(member.jsDoc[0].comment)}\n\n${tags.join('\n')}\n`
}

/** Comments have the names of other members in braces. */
function textOf (comment) {
  return (ts.getTextOfJSDocComment(comment) ?? '').replace(/\{@link (.+?)\}/g, '`$1`')
}
