// Prepared answers, typed out word by word as a language model would.
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
    text: 'I will talk for a moment and then my source throws. The error is logged, you are told about it below, and the stream ends. A second and a half later the browser is back with the id of the last word it has heard, and I go on from there as if nothing had happened.',
    failsAt: 12
  }
]

export function findTopic (id) {
  return TOPICS.find(topic => topic.id === id)
}

/** A source for `reply.eventStream()`. The id of an event is the number of words so far. */
export async function * typeOut ({ text, failsAt }, delay, { signal, lastEventId }) {
  const words = text.split(' ')
  const isFirstTry = lastEventId === ''
  for (let said = Number.parseInt(lastEventId, 10) || 0; said < words.length; said++) {
    // Rejects when the tab is closed, and that ends this function too.
    await setTimeout(delay, undefined, { signal })
    if (said === failsAt && isFirstTry) throw new Error('the source lost its thread')
    yield new Fragment('station.html', 'word', { word: words[said] }, { target: 'words', swap: 'beforeend', id: said + 1 })
  }
}
