// The jobs of all processes that share an engine: the process that runs each, and the place of its events. Of several that
// want to run one, the first by the order of the topic does.
import type { JobState } from './job-state.js'
import type { Holders, Roster } from './roster.js'

/** A run of a job. */
export interface JobNote {
  /** Tells it from others of its id. */
  run: string
  /** `claimed` until the process that wants to run it knows that it may. */
  state: JobState | 'claimed'
  /** Where its first event comes after. */
  first: string
  history: number
  /** A newer place, from which on most of the history can be read. */
  mark?: string | undefined
}

/** A message on a job: that the process runs it, or wants a run to be stopped. */
export type JobEntry = JobNote | { stop: string }

/** The run that counts, and whether it is in this process. */
export interface Winner {
  note: JobNote
  isOurs: boolean
  /** Whether a process has asked for its stop. */
  isToStop: boolean
}

export class JobBoard {
  readonly #roster: Roster<JobEntry>

  /** @param changed something has changed for a job. */
  constructor (open: (changed: (id: string) => void) => Roster<JobEntry>, changed: (id: string) => void) {
    this.#roster = open(changed)
  }

  /** Resolves when it was asked once which jobs there are. */
  get ready (): Promise<void> {
    return this.#roster.ready
  }

  /** The run of a job that counts; undefined when no process has it. */
  winner (id: string): Winner | undefined {
    const holders = this.#roster.holders(id)
    const first = firstOf(holders)
    if (first === undefined) return undefined
    const { owner, note } = first
    return { note, isOurs: owner === this.#roster.owner, isToStop: [...holders.values()].some(({ data }) => 'stop' in data && data.stop === note.run) }
  }

  tell (id: string, entry: JobEntry): void {
    this.#roster.hold(id, entry)
  }

  forget (id: string): void {
    this.#roster.release(id)
  }

  async settled (): Promise<void> {
    await this.#roster.settled()
  }

  close (): void {
    this.#roster.close()
  }
}

function firstOf (holders: Holders<JobEntry>): { owner: string, note: JobNote } | undefined {
  let first: { owner: string, note: JobNote, since: number } | undefined
  for (const [owner, { data, since }] of holders) {
    if ('stop' in data) continue
    // Two of one millisecond: one that is known to run was first.
    if (first === undefined || since < first.since || (since === first.since && first.note.state === 'claimed' && data.state !== 'claimed')) first = { owner, note: data, since }
  }
  return first
}
