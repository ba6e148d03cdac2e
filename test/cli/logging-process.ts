import { setTimeout as sleep } from 'node:timers/promises'
import { runRole } from '../../src/cli/index.js'
import { resolveSettings } from '../../src/config/index.js'
import { createMetrics, startStatusServer } from '../../src/telemetry/index.js'

/**
 * A neuron that only logs, in a process of its own, to observe what its log does to it. Arguments: folder of its state, length of
 * a line, lines to log before it is ready, and what happens then: `go on` logs until SIGTERM, `crash` throws.
 */
const [folder = '', length = '200', atStart = '0', then = 'go on', ...words] = process.argv.slice(2)
const flags = {
  'logging.logging_dir': folder,
  'logging.level': 'debug',
  'wallet.name': 'w',
  'wallet.hotkey': 'h',
  'logging.record_log': words.includes('--file'),
}
let logged = 0
try {
  await runRole({
    role: 'miner',
    settings: resolveSettings('miner', { flags, env: {} }).values,
    hotkey: '5Hotkey',
    warnings: [],
    start: async (context) => {
      const { log, signal } = context
      const server = await startStatusServer({
        port: 0,
        log,
        live: () => true,
        ready: () => undefined,
        metrics: createMetrics('miner', context),
        status: () => ({ logged, pid: process.pid }),
      })
      const logOne = () =>
        log.debug({ event: 'test-line', index: logged++, filler: 'x'.repeat(Number(length)) }, 'a line')
      process.stdout.write(`${server.url}\n`)
      while (logged < Number(atStart)) logOne()
      const work = async () => {
        context.progress.report('a task', 'under way', 10)
        // After the role has logged that it is ready.
        await sleep(10)
        while (!signal.aborted && then === 'go on') {
          for (let count = 0; count < 20; count++) logOne()
          context.progress.report('a task', `line ${logged}`, logged % 100)
          await sleep(1)
        }
        if (then === 'crash') queueMicrotask(() => Promise.reject(new Error('the last straw')))
        await sleep(10)
        await server.close()
      }
      return { done: work() }
    },
  })
} catch (error) {
  process.stdout.write(`failed: ${String(error)}\n`)
  process.exit(1)
}
process.exit(0)
