// WebKitGTK with as much of Playwright's interface as the tests of the client script use.
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { installClock } from './clock.js'
import { startInjector } from './proxy.js'
import { Session, startScreen } from './webdriver.js'

const PATIENCE = 30_000

/** What cannot be done in this browser: the test is skipped. */
export class Unsupported extends Error {}

export async function launchWebKit () {
  const screen = await startScreen()
  const browser = {
    async newContext () {
      const pages = new Set()
      return {
        browser: () => browser,
        async newPage () {
          const page = await Page.open(screen.display, () => pages.delete(page))
          pages.add(page)
          return page
        },
        async close () { for (const page of pages) await page.close() }
      }
    },
    async close () { screen.stop() }
  }
  return browser
}

/** Notes what the console is told, and errors that nobody caught. */
function listen () {
  const told = []
  Object.defineProperty(window, 'toldOf', { value: () => told.splice(0) })
  for (const type of ['log', 'info', 'warn', 'error']) {
    const original = console[type]
    console[type] = (...args) => {
      told.push({ type, text: args.map(String).join(' ') })
      original.apply(console, args)
    }
  }
  window.addEventListener('error', ({ error, message }) => { if (error) told.push({ type: 'uncaught', text: `${message}\n${error.stack}` }) })
  window.addEventListener('unhandledrejection', ({ reason }) => told.push({ type: 'uncaught', text: String(reason?.stack ?? reason) }))
}

class Page extends EventEmitter {
  #session = new Session()
  #scripts = [listen]
  #injector
  #onClose
  clock = {
    install: async () => { this.#scripts.push(installClock) },
    runFor: milliseconds => this.evaluate(milliseconds => window.runClock(milliseconds), milliseconds)
  }

  static async open (display, onClose) {
    const page = new Page()
    page.#onClose = onClose
    page.#injector = await startInjector(() => page.#scripts.map(script => `(${script})();`).join('\n'))
    await page.#session.start(display, page.#injector.address)
    return page
  }

  async close () {
    this.#onClose()
    await this.#session.stop()
    this.#injector.stop()
  }

  async addInitScript (script) { this.#scripts.push(script) }
  async route () { throw new Unsupported('requests cannot be held') }

  async goto (url, { waitUntil = 'load' } = {}) {
    await this.evaluate(() => { window.isLeft = true })
    await this.#session.post('/url', { url })
    await this.#until(waitUntil === 'load'
      ? () => !window.isLeft && document.readyState === 'complete'
      : () => !window.isLeft && document.body !== null, url)
  }

  goBack () { return this.#session.post('/back') }
  goForward () { return this.#session.post('/forward') }
  title () { return this.evaluate(() => document.title) }
  content () { return this.evaluate(() => document.documentElement.outerHTML) }
  waitForFunction (check, argument) { return this.#until(check, String(check), argument) }

  waitForURL (pattern) {
    const source = `${pattern.split('**').map(part => part.replace(/[.?*+^$[\](){}|\\]/g, '\\$&')).join('.*')}$`
    return this.#until(source => new RegExp(source).test(window.location.href), pattern, source)
  }

  async addScriptTag ({ url }) {
    await this.evaluate(url => new Promise((resolve, reject) => {
      const script = document.createElement('script')
      Object.assign(script, { src: url, onload: () => resolve(), onerror: reject })
      document.head.append(script)
    }), url)
  }

  async evaluate (work, argument) {
    const answer = await this.#session.post('/execute/async', {
      script: `const [text, done] = arguments
        const argument = text === null ? undefined : JSON.parse(text)
        Promise.resolve().then(() => (${work})(argument)).then(
          value => ({ value }), error => ({ error: String(error && error.stack || error) })
        ).then(result => done(JSON.stringify({ ...result, told: window.toldOf ? window.toldOf() : [] })))`,
      args: [argument === undefined ? null : JSON.stringify(argument)]
    })
    const { value, error, told } = JSON.parse(answer)
    for (const { type, text } of told) {
      if (type === 'uncaught') this.emit('pageerror', new Error(text))
      else this.emit('console', { type: () => type, text: () => text })
    }
    if (error !== undefined) throw new Error(error)
    return value
  }

  /** Waits until `check` is true in the page, whichever document that is by then. */
  async #until (check, what, argument) {
    const deadline = Date.now() + PATIENCE
    let problem
    while (Date.now() < deadline) {
      try {
        if (await this.evaluate(check, argument)) return
      } catch (error) {
        // The document has gone meanwhile.
        problem = error
      }
      await wait(20)
    }
    throw new Error(`Not within ${PATIENCE} ms: ${what}`, { cause: problem })
  }

  locator (selector, { hasText, nth } = {}) {
    const find = `const found = [...document.querySelectorAll(${JSON.stringify(selector)})]
      .filter(element => ${JSON.stringify(hasText ?? '')} === '' || element.textContent.includes(${JSON.stringify(hasText ?? '')}))
      ${nth === undefined ? '' : `.slice(${nth}).slice(0, 1)`};`
    const look = (expression, argument) => this.evaluate(`(argument => { ${find} return ${expression} })`, argument)
    const states = {
      attached: 'found.length > 0',
      detached: 'found.length === 0',
      visible: 'found.length > 0 && found[0].getClientRects().length > 0'
    }
    const waitFor = ({ state = 'visible' } = {}) => this.#until(`() => { ${find} return ${states[state]} }`, `${selector} is ${state}`)
    const first = async expression => {
      await waitFor({ state: 'attached' })
      return look(expression)
    }
    const element = async () => {
      await waitFor()
      const reference = await this.#session.post('/execute/sync', { script: `${find} return found[0]`, args: [] })
      return `/element/${Object.values(reference)[0]}`
    }
    return {
      waitFor,
      first: () => this.locator(selector, { hasText, nth: 0 }),
      nth: nth => this.locator(selector, { hasText, nth }),
      count: () => look('found.length'),
      allTextContents: () => look('found.map(element => element.textContent)'),
      textContent: () => first('found[0].textContent'),
      innerHTML: () => first('found[0].innerHTML'),
      inputValue: () => first('found[0].value'),
      getAttribute: name => first(`found[0].getAttribute(${JSON.stringify(name)})`),
      evaluate: async work => await first(`(${work})(found[0])`),
      click: async () => { await this.#session.post(`${await element()}/click`) },
      fill: async text => {
        const path = await element()
        await this.#session.post(`${path}/clear`)
        await this.#session.post(`${path}/value`, { text })
      }
    }
  }
}
