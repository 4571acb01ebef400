// Starts the example: `npm start`. PORT, HOST, NOTES_FILE and LOG=1 (JSON log
// on stdout; the page shows the log anyway) come from the environment.
import { buildApp } from './app.js'

const app = await buildApp({
  notesFile: process.env.NOTES_FILE,
  logTo: process.env.LOG === '1' ? process.stdout : undefined
})

// Every open stream gets a last event and is ended, so close() is quick even
// with many tabs open; they reconnect when the next process listens.
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    console.log('Closing. Tabs that are open will reconnect when you start me again.')
    app.close()
  })
}

const port = Number(process.env.PORT ?? 3000)
try {
  console.log(`The station is on the air: ${await app.listen({ port, host: process.env.HOST ?? '127.0.0.1' })}`)
} catch (error) {
  if (error.code !== 'EADDRINUSE') throw error
  console.error(`Something else listens on port ${port}. Start me on another one: PORT=${port + 1} npm start`)
  process.exitCode = 1
  await app.close()
}
