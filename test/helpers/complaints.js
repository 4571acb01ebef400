// Nothing in a file that imports this may make the process complain.
import t from 'tap'

export const complaints = []
process.on('warning', ({ name, message }) => complaints.push(`warning: ${name}: ${message}`))
process.on('uncaughtExceptionMonitor', (error, origin) => complaints.push(`${origin}: ${error}`))
t.teardown(() => {
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
})
