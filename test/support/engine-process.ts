import { systemClock } from '../../src/kernel/clock.js'
import { startDevelopmentEngine } from '../../src/localnet/engine/index.js'

/** What a container of the fake Docker server runs: a development engine in a separate process. */
const [model = '', port = '0'] = process.argv.slice(2)
await startDevelopmentEngine(
  { port: Number(port), models: [model], returnTokensAsTokenIds: true },
  { clock: systemClock },
)
process.stdout.write('Application startup complete.\n')
process.stdin.on('end', () => process.exit(0)).resume()
