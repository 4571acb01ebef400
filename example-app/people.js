// Who is here: one for each browser, however many tabs it has open.
import { createHash } from 'node:crypto'
import { Fragment, merge } from 'fastify-chirp'

// Call signs that fit in the line; the others are counted.
const SHOWN = 8
const PENS = 8
const LETTERS = 'ABCDEFGHKLMNPRSTUVWXYZ'

export class People {
  channel
  presence

  /** `grace`: milliseconds within which a return, such as a reload, counts as never gone. */
  constructor (app, { grace }) {
    // Only the newest picture counts: a new stream gets it, a slow one skips to it.
    this.channel = app.channel('people', { latest: true })
    this.presence = this.channel.presence({ grace })
    for (const change of ['join', 'leave']) this.presence.on(change, () => this.#tell())
  }

  /** Shows all people with an open page; `visitor` is one of them as long as this is streamed. */
  follow (visitor) {
    return merge(this.channel, this.presence.track(visitor, { info: { key: visitor, sign: callSign(visitor), pen: this.#penOf(visitor) } }))
  }

  /** What the block `people` needs. */
  context () {
    const members = this.presence.members()
    return {
      people: {
        count: members.length,
        shown: members.slice(0, SHOWN).map(({ info: { sign, pen } }) => ({ sign, pen })),
        more: Math.max(0, members.length - SHOWN)
      }
    }
  }

  /** The first free one, so that people differ. */
  #penOf (visitor) {
    const members = this.presence.members().map(({ info }) => info)
    const taken = new Set(members.map(({ pen }) => pen))
    const free = [...Array(PENS).keys()].find(pen => !taken.has(pen))
    return members.find(({ key }) => key === visitor)?.pen ?? free ?? members.length % PENS
  }

  #tell () {
    this.channel.publish(new Fragment('station.html', 'people', this.context(), { target: 'people' }))
  }
}

// The visitor's key is theirs alone; what others see does not lead back to it.
function callSign (visitor) {
  const bytes = createHash('sha256').update(visitor).digest()
  const [a, b, c] = [...bytes].map(byte => LETTERS[byte % LETTERS.length])
  return `${a}${bytes[3] % 10}${b}${c}`
}
