import { expect, it } from 'vitest'
import { logLibraryOutput } from '../../src/cli/library-output.js'
import { createLogger } from '../../src/telemetry/index.js'

it('logs what libraries and Node print, one record each, until it is undone', async () => {
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    base: {},
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
    secrets: ['secret-word'],
  })
  const before = { error: console.error, listeners: process.listeners('warning') }
  const undo = logLibraryOutput(log)
  console.error('API-WS: disconnected %s\n', 'secret-word', { code: 1006 })
  console.log('done')
  process.emitWarning('too many listeners', 'MaxListenersExceededWarning')
  await new Promise(setImmediate)
  undo()
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', event: 'library-warning', text: 'API-WS: disconnected [redacted]\n { code: 1006 }' },
    { level: 'info', event: 'library-output', text: 'done' },
    {
      level: 'warn',
      event: 'runtime-warning',
      err: { type: 'MaxListenersExceededWarning', message: 'too many listeners' },
    },
  ])
  expect(console.error).toBe(before.error)
  expect(process.listeners('warning')).toEqual(before.listeners)
})
