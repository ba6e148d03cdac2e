import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { compiledUrl } from '../../../support/compiled-program.js'
import { onFrozenTerminal } from '../../../support/frozen-terminal.js'

const MODULE = compiledUrl(new URL('../../../../src/roles/validator/health/watchdog.ts', import.meta.url))
const CLOCK = compiledUrl(new URL('../../../../src/kernel/clock.ts', import.meta.url))

/** A process with a watchdog whose deadlines are scaled to fractions of a second. */
async function runWith(
  body: string,
  {
    loopTimeoutMs = 400,
    isLogRead = true,
    prefix = [] as readonly string[],
    onReady = (_: ChildProcess) => {},
  } = {},
): Promise<{ status: number | null; stderr: string }> {
  // not a module: its flag would reach the threads too
  const script = `void (async () => {
    const { default: pino } = await import('pino')
    const { systemClock: clock } = await import(${JSON.stringify(CLOCK)})
    const { startWatchdog } = await import(${JSON.stringify(MODULE)})
    const dog = startWatchdog({ clock, log: pino({ level: 'silent' }), loopTimeoutMs: ${loopTimeoutMs}, scale: 1 / 300 })
    const keepAlive = setInterval(() => {}, 1000)
    ${body}
  })()`
  const command = [...prefix, process.execPath, '-e', script]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  if (isLogRead)
    child.stderr.on('data', (text) => {
      stderr += text
    })
  child.stdout.once('data', () => onReady(child))
  const [status] = await once(child, 'exit')
  return { status, stderr }
}

test('ends a process whose event loop is blocked with status 70', async () => {
  const [spinning, waiting] = await Promise.all([
    runWith('setTimeout(() => { for (;;) {} }, 100)'),
    runWith('setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 100)'),
  ])
  expect(spinning.status).toBe(70)
  expect(spinning.stderr).toContain('the event loop is blocked')
  expect(waiting.status).toBe(70)
})

test('ends a process in a phase beyond its deadline, but not during a planned pause, while loading, or once closed', async () => {
  const [stuck, planned, loading, closed] = await Promise.all([
    runWith("dog.enter('idle')"),
    runWith("dog.enter('idle', 60_000); setTimeout(() => process.exit(4), 4000)"),
    runWith("dog.enter('loading'); setTimeout(() => process.exit(5), 4000)"),
    runWith("dog.enter('idle'); await dog.close(); setTimeout(() => process.exit(6), 4000)"),
  ])
  expect(stuck.status).toBe(70)
  expect(stuck.stderr).toContain('a phase exceeded its deadline')
  expect(planned.status).toBe(4)
  expect(loading.status).toBe(5)
  expect(closed.status).toBe(6)
})

test('does not count the time in which the whole process was paused', async () => {
  const onReady = (child: ChildProcess) => {
    child.kill('SIGSTOP')
    setTimeout(() => child.kill('SIGCONT'), 3000)
  }
  // Ticks do not catch up after the pause: the phase continues for a while.
  const { status, stderr } = await runWith(
    `
    // By then the watchdog thread is running.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    dog.enter('planning', 1000)
    console.log('ready')
    let ticks = 0
    setInterval(() => {
      if (++ticks === 5) dog.enter('loading')
      if (ticks === 10) process.exit(7)
    }, 100)`,
    { onReady },
  )
  expect(stderr).toBe('')
  expect(status).toBe(7)
})

test('ends a process that hangs on a log that is no longer read', async () => {
  const { status } = await runWith(
    "const log = pino(pino.destination({ fd: 2, sync: true })); setTimeout(() => { for (;;) log.info('x') }, 100)",
    { isLogRead: false },
  )
  expect(status).toBe(70)
})

test.skipIf(!onFrozenTerminal)('ends a process that hangs on a terminal that is not read', async () => {
  const { status } = await runWith('setTimeout(() => { for (;;) {} }, 100)', {
    prefix: onFrozenTerminal ?? [],
  })
  expect(status).toBe(70)
})

test('never applies the deadline of a phase to the time of the previous one', async () => {
  const { status, stderr } = await runWith(
    `
    const hold = (name) => {
      const real = Atomics[name]
      Atomics[name] = (...call) => {
        const result = real(...call)
        if (!isHeld || call[1] === 0) return result
        isHeld = false
        for (const until = performance.now() + 800; performance.now() < until; );
        return result
      }
    }
    let isHeld = false
    hold('add')
    hold('store')
    dog.enter('querying')
    setTimeout(() => {
      isHeld = true
      dog.enter('idle')
      dog.enter('loading')
      setTimeout(() => process.exit(8), 1000)
    }, 1200)`,
    { loopTimeoutMs: 3000 },
  )
  expect(stderr).toBe('')
  expect(status).toBe(8)
})
