import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { systemClock } from '../../src/kernel/clock.js'

/**
 * Our miner. Arguments: origin of the upstream; `open` (the router without admission), the number of signature threads, or
 * `workers` and their number.
 */
const [origin = '', mode = '0', workers = '1'] = process.argv.slice(2)
const url = `${origin}/v1`
if (mode === 'open') {
  // imports only what the router needs, because memory is measured too
  const { defaultLimits, readRequest, startRouter } = await import('../../src/routing/index.js')
  const router = await startRouter({
    clock: systemClock,
    log: pino({ level: 'silent' }),
    upstreams: [
      { url, apiKey: undefined, weight: 1, maxInFlight: 10_000, models: [], aliases: {}, addTokenIds: false },
    ],
    limits: defaultLimits,
  })
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const facts = readRequest(body)
      if (facts) void router.forward({ ...facts, path: '/chat/completions', body, response })
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
} else {
  const { startMiner } = await import('../../src/roles/miner/index.js')
  const { createFakeSubtensor, neuronOf } = await import('../../test/support/fake-subtensor.js')
  const { hotkeyOf } = await import('../../test/support/hotkeys.js')
  const { minerSettingsOf } = await import('../../test/support/miner-rig.js')
  const [miner, validator] = await Promise.all([hotkeyOf(1), hotkeyOf(2)])
  const subtensor = createFakeSubtensor([
    neuronOf({ uid: 0, hotkey: validator.address, stakeTao: 20_000 }),
    neuronOf({ uid: 1, hotkey: miner.address }),
  ])
  const log = pino(
    { level: 'info' },
    {
      write: (line: string) => {
        const record = JSON.parse(line) as { event: string; port: number }
        if (record.event === 'miner-listening') process.send?.({ port: record.port })
      },
    },
  )
  const settings = minerSettingsOf({
    'model-endpoint': [url],
    ...(mode === 'workers'
      ? { workers: Number(workers), 'signature-workers': undefined }
      : { 'signature-workers': Number(mode) }),
    'max-in-flight': 10_000,
    'max-in-flight-per-signer': 10_000,
    'routing.max-in-flight': 10_000,
  })
  await startMiner(settings, {
    clock: systemClock,
    log,
    signal: new AbortController().signal,
    stateDir: '/nonexistent',
    subtensor,
    signer: miner,
  })
}
