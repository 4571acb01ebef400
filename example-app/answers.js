// Prepared answers, typed out word by word as a language model would. Each is a
// job: it goes on without the tab that asked, and any tab can follow it.
import { setTimeout } from 'node:timers/promises'
import { Fragment } from 'fastify-chirp'

export const TOPICS = [
  {
    id: 'restart',
    question: 'What if the server dies?',
    text: 'The browser notices that the connection is gone and dials again, by itself, every second and a half. It brings along the id of the last event that it has seen. The new process does not know that id and says so. Then the page fetches its live part anew, with the notes that are in the file, and goes on from there. Nothing is lost and nothing comes twice. Try it: stop me with Control-C, and start me again.'
  },
  {
    id: 'script',
    question: 'Where is the JavaScript?',
    text: 'Mostly on the server. A handler yields values, a template turns each one into HTML, and htmx puts it in its place. The first page and every later change come from the same template block, so the two cannot drift apart. What is left for the browser is a small file that minds the status lights.'
  },
  {
    id: 'tabs',
    question: 'How many tabs can I open?',
    text: 'Over HTTP/1.1 a browser keeps six connections to one server, for all tabs together. This is why the machine, the notes and the log share a single stream: one connection for each tab, and one more while I talk. Over HTTP/2 there is no such limit. The readings are taken and rendered once for all tabs, and only while somebody looks.'
  },
  {
    id: 'failure',
    question: 'Fail halfway, please.',
    text: 'I will talk for a moment and then my source throws. The error is logged, you are told about it below, and the stream ends. What has failed stays failed: a reload shows the same words and the same error. But you can have me try again. That is a new job, which starts at the first word, and this time it gets to the last one.',
    failsAt: 12
  }
]

/** By its own id, or that of an answer, which begins with it. */
export function findTopic (id) {
  const [wanted] = String(id).split('.')
  return TOPICS.find(topic => topic.id === wanted)
}

/** What the block `word` needs of each word. */
export function wordsOf ({ text }) {
  return text.split(' ').map((text, index) => ({ id: `word-${index + 1}`, text }))
}

/** The job of an answer: started now, or long ago. */
export function answer (app, id, delay) {
  const { failsAt, ...topic } = findTopic(id)
  return app.job(`answer:${id}`, async function * ({ signal }) {
    for (const [index, word] of wordsOf(topic).entries()) {
      // Rejects when the job is stopped, and that ends this function too.
      await setTimeout(delay, undefined, { signal })
      if (index === failsAt && !id.endsWith('.again')) throw new Error('the source lost its thread')
      yield new Fragment('station.html', 'word', { word }, { target: 'words', swap: 'beforeend' })
    }
  })
}

/** The job of an answer that runs or is kept, if there is one. */
export function findAnswer (app, id) {
  return app.job(`answer:${id}`)
}
