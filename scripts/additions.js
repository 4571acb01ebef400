// The additions of a file to types of others, as a page: TypeDoc leaves them out.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = new URL('..', import.meta.url)

/** The members of the interfaces in `declare module` or `declare global` of `file`, with their comments, as Markdown. */
export function additions (file, title) {
  const text = readFileSync(fileURLToPath(new URL(file, root)), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true)
  const { statements } = source.statements.find(ts.isModuleDeclaration).body
  const parts = statements.filter(ts.isInterfaceDeclaration).flatMap(({ name, members }) =>
    [`## ${name.text}\n`, ...members.filter(({ jsDoc }) => jsDoc !== undefined).map(member => described(member, source))])
  return `# ${title}\n\n${parts.join('\n')}`
}

function described (member, source) {
  const tags = ts.getJSDocTags(member).map(tag => `- *${tag.tagName.text}* ${textOf(tag.comment)}`)
  return `### ${member.name.getText(source)}\n\n\`\`\`ts\n${member.getText(source)}\n\`\`\`\n\n${textOf(member.jsDoc[0].comment)}\n\n${tags.join('\n')}\n`
}

/** Comments have the names of other members in braces. */
function textOf (comment) {
  return (ts.getTextOfJSDocComment(comment) ?? '').replace(/\{@link (.+?)\}/g, '`$1`')
}
