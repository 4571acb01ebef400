// What takes its time to find out: the page that shows it does not wait.
import { statfs } from 'node:fs/promises'
import os from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { bytes } from '../format.js'

/** How busy each processor is, over a second. */
export async function processors (signal) {
  const before = os.cpus()
  await setTimeout(1000, undefined, { signal })
  return os.cpus().map(({ times }, n) => {
    const spent = name => times[name] - before[n].times[name]
    const all = Object.keys(times).reduce((sum, name) => sum + spent(name), 0)
    return { name: `Processor ${n + 1}`, busy: all === 0 ? 0 : Math.round(100 * (1 - spent('idle') / all)) }
  })
}

export async function disk () {
  const { bsize, blocks, bavail } = await statfs('.')
  return { free: bytes(bsize * bavail), size: bytes(bsize * blocks) }
}
