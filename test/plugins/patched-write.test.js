// What somebody put in the place of ServerResponse's write() sees every event, whenever it was put there.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Runs a program that publishes one event over a socket, and tells which writes a patch saw and how many chunks went past it. */
function run (patch, when) {
  const program = `
    import http from 'node:http'
    import net from 'node:net'
    const seen = []
    const patch = () => { ${patch} }
    ${when === 'before' ? 'patch()' : ''}
    const { default: Fastify } = await import('fastify')
    const { default: chirp } = await import('fastify-chirp')
    ${when === 'after' ? 'patch()' : ''}
    let past = 0
    const { write } = net.Socket.prototype
    net.Socket.prototype.write = function (chunk, ...rest) {
      if (/^[0-9a-f]+\\r\\n[^]*data: news\\n\\n\\r\\n$/.test(String(chunk))) past++
      return write.call(this, chunk, ...rest)
    }
    const app = Fastify({ forceCloseConnections: true })
    await app.register(chirp, { debug: false })
    const channel = app.channel('a')
    app.get('/', { referenced: true }, (request, reply) => reply.eventStream(channel))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const request = http.get({ port: app.server.address().port, host: '127.0.0.1', agent: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', data => {
        if (text === '') setImmediate(() => channel.publish('news'))
        text += data
        if (!text.includes('data: news')) return
        console.log(JSON.stringify({ seen: seen.filter(text => text.includes('data: news')).length, past }))
        process.exit()
      })
    })
  `
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, encoding: 'utf8', timeout: 120000 }))
}

const wrap = prototype => `
  const { write } = http.${prototype}.prototype
  http.${prototype}.prototype.write = function (chunk, ...rest) {
    seen.push(String(chunk))
    return write.call(this, chunk, ...rest)
  }
`
const patches = {
  'ServerResponse.prototype': wrap('ServerResponse'),
  'OutgoingMessage.prototype, which it inherits from': wrap('OutgoingMessage'),
  'a proxy of it': `
    http.OutgoingMessage.prototype.write = new Proxy(http.OutgoingMessage.prototype.write, {
      apply (write, response, values) {
        seen.push(String(values[0]))
        return Reflect.apply(write, response, values)
      }
    })
  `
}

t.test('write() as Node.js has it is bypassed, which is what makes channels fast', async t => {
  t.same(run('', 'never'), { seen: 0, past: 1 })
})

for (const [name, patch] of Object.entries(patches)) {
  t.test(`write() was replaced before the plugin was loaded: ${name}`, async t => {
    t.equal(run(patch, 'before').seen, 1)
  })
}

t.test('write() was replaced after the plugin was loaded', async t => {
  t.equal(run(patches['ServerResponse.prototype'], 'after').seen, 1)
})
