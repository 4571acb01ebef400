// A clock for a page that can be put forward; between that it goes on by itself. Runs in the page, before all else.
export function installClock () {
  const real = { setTimeout: window.setTimeout, now: Date.now, performance: performance.now.bind(performance) }
  const RealDate = Date
  let ahead = 0
  let last = 0
  const timers = new Map()
  const now = () => real.now() + ahead

  function add (isRepeated, callback, delay = 0, ...args) {
    const every = Math.max(Number(delay) || 0, 1)
    timers.set(++last, { id: last, at: now() + every, every: isRepeated ? every : undefined, callback, args })
    return last
  }
  const remove = id => { timers.delete(id) }
  const nextOf = () => [...timers.values()].reduce((first, timer) => first !== undefined && first.at <= timer.at ? first : timer, undefined)

  function fire (timer) {
    if (timer.every === undefined) timers.delete(timer.id)
    else timer.at = now() + timer.every
    timer.callback.apply(window, timer.args)
  }
  function tick () {
    try {
      for (let timer = nextOf(); timer !== undefined && timer.at <= now(); timer = nextOf()) fire(timer)
    } finally {
      real.setTimeout.call(window, tick, 5)
    }
  }
  tick()

  window.setTimeout = (...args) => add(false, ...args)
  window.setInterval = (...args) => add(true, ...args)
  window.clearTimeout = window.clearInterval = remove
  performance.now = () => real.performance() + ahead
  window.Date = class extends RealDate {
    constructor (...args) {
      super(...args.length === 0 ? [now()] : args)
    }

    static now () { return now() }
  }
  window.runClock = async milliseconds => {
    const end = now() + milliseconds
    for (let timer = nextOf(); timer !== undefined && timer.at <= end; timer = nextOf()) {
      ahead += Math.max(0, timer.at - now())
      fire(timer)
      await new Promise(resolve => real.setTimeout.call(window, resolve))
    }
    ahead += Math.max(0, end - now())
  }
}
