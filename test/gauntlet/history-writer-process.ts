import pino from 'pino'
import { openHistory } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { row } from '../history/history-suite.js'

/** Writes rows until it is killed, and prints their number whenever all of them are in the database. */
const [file = '', firstText = '0'] = process.argv.slice(2)
const history = openHistory({
  place: { file },
  clock: systemClock,
  log: pino({ level: 'error' }),
  retentionMs: 100 * 365 * 86_400_000,
  signal: new AbortController().signal,
})
process.stdout.write('started\n')
for (let index = Number(firstText); ; index++) {
  history.record(row(index))
  await new Promise((resolve) => setTimeout(resolve, 2))
  if (history.spooled() === 0) process.stdout.write(`${index + 1}\n`)
}
