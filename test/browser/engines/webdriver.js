// Debian's WebKitGTK: a driver and a MiniBrowser for each page, all on one screen that nobody sees.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../helpers/port.js'

const MINI_BROWSER = process.env.MINI_BROWSER_PATH || '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'

/** Starts a screen. Resolves to its name, and what ends it. */
export async function startScreen () {
  const xvfb = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  await once(xvfb, 'spawn')
  const [number] = await once(xvfb.stdio[3], 'data')
  return { display: `:${String(number).trim()}`, stop: () => xvfb.kill() }
}

/** A session of WebDriver: https://www.w3.org/TR/webdriver2/ */
export class Session {
  #driver
  #base

  /** Starts a driver and its browser, which asks `proxy` for everything. */
  async start (display, proxy) {
    const port = await freePort()
    const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', LIBGL_ALWAYS_SOFTWARE: '1' }
    this.#driver = spawn('WebKitWebDriver', [`--port=${port}`], { env, stdio: 'ignore', detached: true })
    await once(this.#driver, 'spawn')
    this.#base = `http://127.0.0.1:${port}`
    const alwaysMatch = {
      pageLoadStrategy: 'none',
      // The page's own clock may be put forward, and that is what they are measured by.
      timeouts: { script: 1e9 },
      proxy: { proxyType: 'manual', httpProxy: proxy },
      'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] }
    }
    for (let tries = 0; ; tries++) {
      try {
        const { sessionId } = await this.#ask('POST', '/session', { capabilities: { alwaysMatch } })
        this.#base += `/session/${sessionId}`
        break
      } catch (error) {
        // It is not listening yet.
        if (error.cause?.code !== 'ECONNREFUSED' || tries === 500) throw error
        await wait(20)
      }
    }
  }

  async #ask (method, path, body) {
    const response = await fetch(this.#base + path, { method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
    const { value } = await response.json()
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`)
    return value
  }

  post (path, body = {}) {
    return this.#ask('POST', path, body)
  }

  async stop () {
    await this.#ask('DELETE', '').catch(() => {})
    try {
      process.kill(-this.#driver.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}
