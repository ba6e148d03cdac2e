import { pino } from 'pino'
import { openAccounts } from '../../src/accounts/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startHub } from '../../src/roles/hub/index.js'
import { createFakeSubtensor, neuronOf } from '../support/fake-subtensor.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { hubSettingsOf } from '../support/hub-settings.js'

/** A replica of the hub before one miner, until it is killed. Arguments: database, state folder, port of the hub, port of the miner. */
const [placeText = '', stateDir = '', port = '', minerPort = ''] = process.argv.slice(2)
const place = placeText.startsWith('postgres') ? { url: placeText } : { file: placeText }
const [signer, miner] = await Promise.all([hotkeyOf(1), hotkeyOf(2)])
const axon = {
  ip: '127.0.0.1',
  port: Number(minerPort),
  ipType: 4,
  protocol: 4,
  version: 1,
  block: 1,
} as const
const log = pino({ level: 'warn' }, { write: (line) => void process.stderr.write(line) })
// a hub that a busy machine stalls for seconds still extends its reservations in time
const times = { leaseMs: 20_000, extendMs: 200, graceMs: 400 }
await startHub(hubSettingsOf({ 'hub.port': Number(port), 'hub.retain': 0 }), {
  ...{ clock: systemClock, log, stateDir, signer, lockTimes: { staleMs: 2000 } },
  signal: new AbortController().signal,
  accounts: openAccounts({ place, clock: systemClock, log, times }),
  subtensor: createFakeSubtensor([
    neuronOf({ uid: 0, hotkey: signer.address, validatorPermit: true, stakeTao: 20_000 }),
    neuronOf({ uid: 1, hotkey: miner.address, incentive: 0.5, axon }),
  ]),
})
process.send?.('ready')
