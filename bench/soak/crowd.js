// All clients of the soak, in a process of their own.
import { setTimeout as sleep } from 'node:timers/promises'
import { answer } from '../lib/answer.js'
import { Member } from './member.js'

const KINDS = ['events', 'html', 'values', 'merge', 'audience', 'viewer', 'live', 'signal', 'pull']
const SHOWN = 20
const members = []

answer({
  /** Opens so many streams, of all kinds. */
  async come ({ port, streams, seed }) {
    const random = randomFrom(seed)
    for (let n = 0; n < streams; n++) {
      members.push(new Member(port, KINDS[n % KINDS.length], `u${n % 5}`, random))
      if (n % 50 === 49) await sleep(10)
    }
  },

  /** Has all of them stay, and waits until each has what the server published; gives what is missing when the time is up. */
  async settle ({ newest, patience }) {
    for (const member of members) member.settle()
    const until = Date.now() + patience
    for (;;) {
      const behind = members.flatMap((member) => member.isOpen ? member.watch.behind(newest) : [member.absence])
      if (behind.length === 0 || Date.now() > until) return { missing: behind.length, some: behind.slice(0, SHOWN) }
      await sleep(50)
    }
  },

  stir () {
    for (const member of members) member.stir()
  },

  figures () {
    const sum = (of) => members.reduce((sum, member) => sum + of(member), 0)
    const faults = members.flatMap(({ watch }) => watch.faults.splice(0))
    return {
      events: sum(({ watch }) => watch.events),
      gaps: sum(({ watch }) => watch.gaps),
      connects: sum(({ connects }) => connects),
      stalls: sum(({ stalls }) => stalls),
      faults: faults.length,
      some: faults.slice(0, SHOWN)
    }
  }
}, {})

// A linear congruential generator: the same seed gives the same run.
function randomFrom (seed) {
  let state = BigInt(seed)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xFFFFFFFFFFFFFFFFn
    return Number(state >> 32n) / 2 ** 32
  }
}
