import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const MODULE = fileURLToPath(new URL('../../../src/roles/validator/watchdog.ts', import.meta.url))
const CLOCK = fileURLToPath(new URL('../../../src/clock.ts', import.meta.url))

/** A process with a watchdog whose deadlines are scaled to fractions of a second. */
async function runWith(body: string): Promise<{ status: number | null; stderr: string }> {
  const script = `
    import pino from 'pino'
    import { systemClock as clock } from ${JSON.stringify(CLOCK)}
    import { startWatchdog } from ${JSON.stringify(MODULE)}
    const dog = startWatchdog({ clock, log: pino({ level: 'silent' }), loopTimeoutMs: 400, scale: 1 / 300 })
    const keepAlive = setInterval(() => {}, 1000)
    ${body}
  `
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const [status] = await once(child, 'exit')
  return { status, stderr }
}

test('a blocked event loop ends the process with 70, whatever it is blocked by', async () => {
  const [spinning, waiting] = await Promise.all([
    runWith('setTimeout(() => { for (;;) {} }, 100)'),
    runWith('setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 100)'),
  ])
  expect(spinning.status).toBe(70)
  expect(spinning.stderr).toContain('the event loop stands still')
  expect(waiting.status).toBe(70)
})

test('a phase over its deadline ends the process, a pause that is meant or loading a model never does, and a closed watchdog is quiet', async () => {
  const [stuck, planned, loading, closed] = await Promise.all([
    runWith("dog.enter('idle')"),
    runWith("dog.enter('idle', 60_000); setTimeout(() => process.exit(4), 4000)"),
    runWith("dog.enter('loading'); setTimeout(() => process.exit(5), 4000)"),
    runWith("dog.enter('idle'); await dog.close(); setTimeout(() => process.exit(6), 4000)"),
  ])
  expect(stuck.status).toBe(70)
  expect(stuck.stderr).toContain('a phase is over its deadline')
  expect(planned.status).toBe(4)
  expect(loading.status).toBe(5)
  expect(closed.status).toBe(6)
})
