import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { accountsPlace, createKey, openAccounts, useAccounts } from '../../src/accounts/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startHub } from '../../src/roles/hub/index.js'
import { createFakeSubtensor, neuronOf } from '../../test/support/fake-subtensor.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { hubSettingsOf } from '../../test/support/hub-settings.js'

/**
 * Our hub with keys in SQLite, before one miner that checks no signatures. Arguments: port of the miner; seconds for which
 * answers are kept, 0 for none; bytes of answers kept. With --expose-gc it answers each message with its memory after a
 * full collection.
 */
const [port = '0', retain = '0', retainBytes = String(256 << 20)] = process.argv.slice(2)
const stateDir = mkdtempSync(join(tmpdir(), 'bench-hub-'))
const [signer, miner] = await Promise.all([hotkeyOf(1), hotkeyOf(2)])
const axon = { ip: '127.0.0.1', port: Number(port), ipType: 4, protocol: 4, version: 1, block: 1 } as const
const subtensor = createFakeSubtensor([
  neuronOf({ uid: 0, hotkey: signer.address, validatorPermit: true, stakeTao: 20_000 }),
  neuronOf({ uid: 1, hotkey: miner.address, axon, incentive: 0.5 }),
])
const hubPlace = { url: undefined, stateDir }
const place = accountsPlace(hubPlace)
const limits = {
  ...{ requestsPerMinute: 1e6, tokensPerDay: 1e12, concurrent: 10_000, budgetTokens: 1e12 },
  models: ['burst', 'tick', 'slow', 'steady'],
}
const { secret } = await useAccounts(hubPlace, (database) =>
  createKey(database, { name: 'bench', limits, isRetained: true, createdAtMs: Date.now() }),
)
const log = pino(
  { level: 'info' },
  {
    write: (line: string) => {
      const { event, url } = JSON.parse(line) as { event: string; url: string }
      if (event === 'hub-listening') process.send?.({ port: Number(new URL(url).port), key: secret })
    },
  },
)
const stopping = new AbortController()
const settings = hubSettingsOf({
  'hub.retain': Number(retain),
  'hub.retain-bytes': Number(retainBytes),
  'hub.max-in-flight': 10_000,
})
const running = await startHub(settings, {
  ...{ clock: systemClock, log, signal: stopping.signal, stateDir, subtensor, signer },
  accounts: openAccounts({ place, clock: systemClock, log }),
})
process.on('message', () => {
  for (let pass = 0; pass < 2; pass++) global.gc?.()
  process.send?.(process.memoryUsage())
})
process.once('SIGTERM', () => {
  stopping.abort()
  void running.done.finally(() => {
    rmSync(stateDir, { recursive: true, force: true })
    process.exit(0)
  })
})
