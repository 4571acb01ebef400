// What can be counted of the rules of CONTRIBUTING.md for prose.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { documents, read, root } from '../helpers/readme.js'

const WIDTH = 110
const WORDS = 25

// Notes for those who change the package; their arguments may be longer.
const INTERNAL = ['docs/internals/architecture.md', 'docs/internals/decisions.md']

// Where a noun, or a plainer word, is better.
const AVOIDED = /^Who\b(?!.*\?)|\b(?:for ever|lets? go of|mend(?:s|ed)?|dear|whoever|what comes)\b/i

const withoutCode = text => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '').replace(/<!--[\s\S]*?-->/g, '')

/** Sentences, and what a colon or a semicolon parts of them; a code span counts as one word. */
function sentencesOf (text) {
  return withoutCode(text)
    .replace(/^(?:[|#]|!\[).*$/gm, '\n')
    .replace(/`[^`]+`/g, 'CODE')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('**', '')
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/)
    .flatMap(paragraph => paragraph.replace(/\s+/g, ' ').trim().split(/(?<=[.!?:;])\s+/))
}

for (const document of documents()) {
  t.test(document, async t => {
    const text = read(document)
    // A table has no other way, and neither has a picture.
    const wide = withoutCode(text).split('\n').filter(line => line.length > WIDTH && !/^(?:\||!\[)/.test(line))
    t.same(wide, [], `no line has more than ${WIDTH} columns`)
    if (INTERNAL.includes(document)) return
    const long = sentencesOf(text).filter(sentence => sentence.split(' ').filter(word => /\w/.test(word)).length > WORDS)
    t.same(long, [], `no sentence has more than ${WORDS} words`)
    t.same(sentencesOf(text).filter(sentence => AVOIDED.test(sentence)), [], 'no words that are avoided')
  })
}

// Comments become tooltips, and strings messages.
t.test('the source', async t => {
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  for (const file of files) {
    const comments = read(join('lib', file)).replace(/^( *)\/?\*+\/?|\/\/ ?/gm, '$1').split('\n').map(line => line.trim()).filter(line => AVOIDED.test(line))
    t.same(comments, [], file)
  }
})

t.test('a sentence is found', async t => {
  const text = '# Title\n\nOne `a b`: two\nlines.\n- item [x](y)\n\n| no | table |\n'
  t.same(sentencesOf(text).filter(Boolean), ['One CODE:', 'two lines.', '- item x'])
})
