import { closeSync, openSync } from 'node:fs'
import { pino } from 'pino'
import { Replica } from '../../src/engine/replica.js'
import { ReplicaPool } from '../../src/engine/replica-pool.js'
import { systemClock } from '../../src/kernel/clock.js'
import { listenPublicly } from '../../src/roles/miner/serving/public-server.js'
import { broadcastModels } from '../../src/roles/validator/epochs/broadcast.js'
import { defaultLimits, startRouter } from '../../src/routing/index.js'
import { neuronOf } from '../support/fake-subtensor.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { settingsOf } from '../support/router-rig.js'
import { startStreamServer } from '../support/stream-server.js'

/** Runs under a low `ulimit -n`: whom a validator blames when no descriptor is left, and what is logged. Prints one JSON document. */
const clock = systemClock
const { signal } = new AbortController()
const events: Record<string, unknown>[] = []
const log = pino({}, { write: (line) => void events.push(JSON.parse(line)) })
const held: number[] = []
function holdAll(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // None is left.
  }
}

const server = await startStreamServer((response) => response.end('["org/a"]'))
const { port } = new URL(server.url)
const signer = await hotkeyOf(1)
const axon = { ip: '127.0.0.1', port: Number(port), ipType: 4, protocol: 4, version: 1, block: 1 } as const
const miner = { ...neuronOf({ uid: 1, hotkey: (await hotkeyOf(2)).address }), axon }
const poll = async () => {
  let unasked = 0
  const onUnasked = (miners: number) => {
    unasked = miners
  }
  const served = await broadcastModels(
    [miner],
    { clock, signer, wanted: ['org/a'], announce: false, onUnasked },
    signal,
  )
  return { served: [...served.values()].flat(), unasked }
}
const replica = new Replica(server.url, undefined, clock)
replica.admit({
  version: '1',
  facts: {
    endpoints: ['chat'],
    maxLogprobs: 20,
    dialect: 'v1',
    scaledLogprobs: false,
    eosTokenIds: [],
    endOfTurnId: undefined,
    maxModelLength: undefined,
  } as never,
})
const pool = new ReplicaPool('org/a', [replica], clock, async () => {})
const ask = () => pool.call(signal, (one) => one.server.getJson('/v1/models', { timeoutMs: 5000, signal }))

const listening = { host: '127.0.0.1', port: 0, headerTimeoutMs: 1000, bodyTimeoutMs: 1000, clock, signal }
const open = await listenPublicly({
  ...listening,
  log,
  isTrustedProxy: () => false,
  handle: async () => {},
} as never)
holdAll()
const failures: unknown[] = []
for (let call = 0; call < 8; call++)
  await ask().catch(({ code, fault, next }) => failures.push({ code, fault, next }))
const during = { usable: replica.isUsable, trusted: replica.isTrusted, breaker: replica.breaker.state() }
const polled = await poll()
const router = await startRouter({
  clock,
  log,
  upstreams: [settingsOf(server.url)],
  limits: defaultLimits,
  random: () => 0.5,
})
const upstream = router.report()[0]
for (const descriptor of held.splice(0)) closeSync(descriptor)
const after = { answer: await ask(), polled: await poll() }
process.stdout.write(JSON.stringify({ failures, during, polled, upstream, after, events }))
await open.close()
process.exit()
