// Who is here: one for each browser, however many tabs it has open.
import { createHash } from 'node:crypto'
import { Fragment } from 'fastify-chirp'

// Call signs that fit in the line; the others are counted.
const SHOWN = 8
const PENS = 6
const LETTERS = 'ABCDEFGHKLMNPRSTUVWXYZ'

export class People {
  channel
  presence

  constructor (app) {
    // Only the newest picture counts: who comes gets it, who is slow skips to it.
    this.channel = app.channel('people', { latest: true })
    this.presence = this.channel.presence()
    for (const change of ['join', 'leave']) this.presence.on(change, () => this.#tell())
  }

  /** `visitor` has one more tab open, until `signal` aborts. */
  join (visitor, signal) {
    this.presence.join(visitor, { info: callSign(visitor), signal })
  }

  /** What the block `people` needs. */
  context () {
    const members = this.presence.members()
    return {
      people: {
        count: members.length,
        shown: members.slice(0, SHOWN).map(({ info }) => info),
        more: Math.max(0, members.length - SHOWN)
      }
    }
  }

  #tell () {
    this.channel.publish(new Fragment('station.html', 'people', this.context(), { target: 'people' }))
  }
}

// The visitor's key is theirs alone; what others see does not lead back to it.
function callSign (visitor) {
  const bytes = createHash('sha256').update(visitor).digest()
  const [a, b, c] = [...bytes].map(byte => LETTERS[byte % LETTERS.length])
  return { sign: `${a}${bytes[3] % 10}${b}${c}`, pen: bytes[4] % PENS }
}
