// Events that compress as those of an app do: each has words and numbers of its own.
import { randomInt } from 'node:crypto'

const WORDS = 'the order was sent to a customer who waits for news of delivery and may call when it is late again today'.split(' ')
const word = () => WORDS[randomInt(WORDS.length)]

function sentence (length) {
  let text = ''
  while (text.length < length) text += `${word()} `
  return text
}

export const events = {
  /** A table row for each of some orders, about 2 kB. */
  html (n) {
    let rows = ''
    for (let row = 0; rows.length < 1900; row++) {
      rows += `<tr id="order-${n}-${row}" class="order order--open"><td class="order__number">${randomInt(1e6)}</td><td class="order__text">${sentence(30)}</td><td><button class="button button--small" hx-post="/orders/${randomInt(1e6)}/close">Close</button></td></tr>`
    }
    return rows
  },
  /** About 200 B. */
  json: n => JSON.stringify({ id: randomInt(1e6), symbol: word(), price: randomInt(1e5) / 100, size: randomInt(1000), at: 1764000000000 + n, text: sentence(100) })
}
