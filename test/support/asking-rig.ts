import { createMinerAgent } from '../../src/inference/index.js'
import { initSr25519 } from '../../src/kernel/index.js'
import { type Asking, type FailedAttempt, openAsking } from '../../src/roles/hub/asking/index.js'
import type { HubMiner, TurnEnd } from '../../src/roles/hub/miners/index.js'
import { hotkeyOf } from './hotkeys.js'
import { ManualClock } from './manual-clock.js'
import { type Answering, type StreamServer, startStreamServer } from './stream-server.js'

export interface AskingRig {
  readonly asking: Asking
  readonly clock: ManualClock
  readonly servers: readonly StreamServer[]
  readonly miners: readonly HubMiner[]
  /** How the turn of each miner ended, by uid. */
  readonly ends: Map<number, TurnEnd>
  readonly failed: FailedAttempt[]
  /** Miners asked beside one that was slow. */
  hedges: number
  readonly asked: Set<string>
  close(): Promise<void>
}

interface RigOptions {
  readonly attempts?: number
  readonly hedgeAfterMs?: number
}

/** Asks the miners behind these servers in their order. A miner without a server refuses connections. */
export async function startAskingRig(
  answers: readonly (Answering | undefined)[],
  { attempts = 3, hedgeAfterMs = 0 }: RigOptions = {},
): Promise<AskingRig> {
  await initSr25519()
  const clock = new ManualClock()
  const signer = await hotkeyOf(1)
  const servers: StreamServer[] = []
  const miners: HubMiner[] = []
  for (const [uid, answer] of answers.entries()) {
    const server = await startStreamServer(answer ?? (() => {}))
    const { address: hotkey } = await hotkeyOf(uid + 2)
    miners.push({ uid, hotkey, coldkey: hotkey, url: server.url })
    if (answer === undefined) await server.close()
    servers.push(server)
  }
  const ends = new Map<number, TurnEnd>()
  const dispatcher = createMinerAgent()
  const asking = openAsking({
    ...{ signer, clock, dispatcher, attempts, hedgeAfterMs },
    miners: {
      choose: (_, except) => miners.find(({ hotkey }) => !except.has(hotkey)),
      begin: ({ uid }) => ({
        end: (how) => {
          if (!ends.has(uid)) ends.set(uid, how)
        },
      }),
    },
    limits: { firstTokenMs: 10_000, gapMs: 5000, totalMs: 60_000 },
  })
  const close = async () => {
    await dispatcher.destroy()
    await Promise.all(servers.map((server, index) => (answers[index] ? server.close() : undefined)))
  }
  return { asking, clock, servers, miners, ends, failed: [], hedges: 0, asked: new Set(), close }
}
