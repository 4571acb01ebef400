// A third dialect, for tests alone: Turbo Streams over event streams. It shows
// that a dialect is one object.
const ACTIONS = {
  innerHTML: 'update', outerHTML: 'replace', beforeend: 'append', afterbegin: 'prepend', beforebegin: 'before', afterend: 'after', delete: 'remove'
}

const place = ({ target, swap = 'innerHTML' }, html) =>
  target === undefined ? html : `<turbo-stream action="${ACTIONS[swap]}" target="${target}"><template>${html}</template></turbo-stream>`

export const turbo = {
  name: 'turbo',
  query: 'turbo',
  detect: header => header('turbo-frame') !== undefined,
  vary: ['Turbo-Frame'],
  form: ({ target, parts }) => target === undefined && parts === undefined ? 'plain' : 'turbo',
  encode ({ event, target, id, retry, swap, data, parts = [{ target, swap, data }] }) {
    const html = parts.map(part => place(part, part.data)).join('')
    return `${target === undefined && event !== undefined ? `event: ${event}\n` : ''}${id === undefined ? '' : `id: ${id}\n`}` +
      `${retry === undefined ? '' : `retry: ${retry}\n`}data: ${html}\n\n`
  },
  place,
  attributes: {
    connect: url => [['data-turbo-stream', url]],
    swap: target => [['id', target]],
    signal: name => [['data-turbo-signal', name]],
    close: () => []
  },
  swaps: new Set([...Object.keys(ACTIONS), 'refresh'])
}
