// The values of signals, and of what is derived from them. The graph itself is
// that of @preact/signals-core; what is set in one tick goes into it at once.
import { batch, computed, effect, signal, type ReadonlySignal, type Signal as Core } from '@preact/signals-core'

/** A value. The same box is the same value, whatever `!==` says. */
export interface Box { readonly value: unknown }

export const EMPTY: Box = { value: undefined }

/** A value of the graph, to be read and followed. */
export interface Node {
  /** The value of now. */
  readonly box: Box
  /** The same for a derived value, which follows it. @internal */
  readonly core: ReadonlySignal<Box>
}

/** The function that makes a derived value of boxes. Never fails. */
export type Derive = (boxes: readonly Box[]) => Box

/** A value that is set. */
export class Input implements Node {
  readonly core: Core<Box> = signal(EMPTY)
  readonly #graph: Graph
  // Values that were set in this tick.
  #waiting: Box | undefined

  constructor (graph: Graph) {
    this.#graph = graph
  }

  get box (): Box {
    return this.#waiting ?? this.core.peek()
  }

  set (box: Box): void {
    this.#waiting = box
    this.#graph.wait(this)
  }

  /** @internal */
  commit (): void {
    this.core.value = this.#waiting!
    this.#waiting = undefined
  }
}

export class Graph {
  readonly #settled: () => void
  readonly #waiting = new Set<Input>()
  // Changes when a value gets a name that others may wait for.
  readonly #names = signal(0)
  readonly #ends: Array<() => void> = []
  #isScheduled = false
  #depth = 0

  /** @param settled is called at the end of each tick in which something was set. */
  constructor (settled: () => void) {
    this.#settled = settled
  }

  /** Whether code of the app runs that makes values of values. */
  get isRunning (): boolean {
    return this.#depth > 0
  }

  /** Runs code of the app that must not set values. */
  run<T> (code: () => T): T {
    this.#depth++
    try {
      return code()
    } finally {
      this.#depth--
    }
  }

  /** @param find gives the values that it depends on; undefined where one is not declared yet. */
  derive (find: () => ReadonlyArray<Node | undefined>, derive: Derive): Node {
    const graph = this
    let last = EMPTY
    const core = computed(() => {
      last = derive(find().map(node => node?.core.value ?? this.#undeclared()))
      return last
    })
    return {
      core,
      get box () {
        // A name that is not declared as a dependency is none, so that there are no circles.
        if (graph.isRunning) return last
        graph.settle()
        return core.peek()
      }
    }
  }

  /** Calls `changed` now, and after each tick that has changed the value. */
  watch (node: Node, changed: () => void): void {
    this.#ends.push(effect(() => {
      Reflect.get(node.core, 'value')
      changed()
    }))
  }

  /** Names that were not declared may be now. */
  declared (): void {
    this.#names.value = this.#names.peek() + 1
  }

  /** Passes on what was set in this tick. */
  settle (): void {
    if (this.#waiting.size === 0 || this.isRunning) return
    const inputs = [...this.#waiting]
    this.#waiting.clear()
    batch(() => { for (const input of inputs) input.commit() })
  }

  close (): void {
    for (const end of this.#ends.splice(0)) end()
  }

  /** @internal */
  wait (input: Input): void {
    this.#waiting.add(input)
    this.schedule()
  }

  /** Settles at the end of the tick. */
  schedule (): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    process.nextTick(settle, this)
  }

  /** @internal */
  tick (): void {
    this.#isScheduled = false
    this.settle()
    this.#settled()
  }

  // Its readers are made again when more is declared.
  #undeclared (): Box {
    Reflect.get(this.#names, 'value')
    return EMPTY
  }
}

function settle (graph: Graph): void {
  graph.tick()
}
