#!/usr/bin/env node
// Debian's Firefox, as Playwright can drive it: what the one asks for and the other does not know is answered here.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import WebSocket, { WebSocketServer } from 'ws'

const LISTENS = /WebDriver BiDi listening on (ws:\/\/\S+)$/

const firefox = spawn(process.env.FIREFOX_PATH || 'firefox-esr', process.argv.slice(2), { stdio: ['ignore', 'inherit', 'pipe'] })
firefox.on('error', error => { throw error })
firefox.on('exit', code => process.exit(code ?? 1))
process.on('SIGTERM', () => firefox.kill())

for await (const line of createInterface(firefox.stderr)) {
  const [, address] = LISTENS.exec(line) ?? []
  if (address === undefined) console.error(line)
  else serve(address)
}

function serve (address) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('listening', () => console.error(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}`))
  server.on('connection', async (client, { url }) => {
    const browser = new WebSocket(address + url)
    const opened = new Promise(resolve => browser.on('open', resolve))
    client.on('message', async data => {
      await opened
      const { id, method } = JSON.parse(data)
      // Colours and the like, which no test looks at.
      if (method === 'emulation.setMediaFeaturesOverride') client.send(JSON.stringify({ type: 'success', id, result: {} }))
      else browser.send(String(data))
    })
    browser.on('message', data => client.send(String(data)))
    client.on('close', () => browser.close())
    browser.on('close', () => client.close())
  })
}
