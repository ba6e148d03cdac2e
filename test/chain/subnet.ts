import { connectSubtensor, type SubtensorClient, type SubtensorOptions } from '../../src/chain/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { LogFields } from '../../src/kernel/log.js'
import {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from '../../src/localnet/chain/index.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

/** A log that records what the client wrote. */
export interface RecordedLog {
  readonly lines: { level: string; event: string; fields: LogFields }[]
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export function recordLog(): RecordedLog {
  const lines: RecordedLog['lines'] = []
  const at = (level: string) => (fields: LogFields) => void lines.push({ level, event: fields.event, fields })
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}

/** A development chain with two validators (uid 0 and 1), two miners, and clients that are closed with it. */
export interface Subnet {
  readonly dev: DevelopmentChain
  readonly signers: readonly Signer[]
  readonly log: RecordedLog
  connect(options?: Partial<SubtensorOptions>): Promise<SubtensorClient>
  close(): Promise<void>
}

export async function startSubnet(options: DevelopmentChainOptions = {}): Promise<Subnet> {
  const signers = await Promise.all([0, 1, 2, 3].map((index) => hotkeyOf(index)))
  const dev = await startDevelopmentChain({
    sealing: 'auto',
    blockTimeMs: 200,
    neurons: signers.map(({ publicKey }, uid) => ({
      hotkey: publicKey,
      coldkey: publicKey,
      stakeTao: uid < 2 ? 1000 : 0,
      validatorPermit: uid < 2,
    })),
    ...options,
  })
  const life = new AbortController()
  const log = recordLog()
  const clients: SubtensorClient[] = []
  return {
    dev,
    signers,
    log,
    async connect(clientOptions = {}) {
      const client = await connectSubtensor(
        { endpoints: [dev.url], rpcTimeoutMs: 8000, inclusionTimeoutMs: 8000, ...clientOptions },
        { clock: systemClock, log, signal: life.signal },
      )
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) await client.close()
      life.abort()
      await dev.close()
    },
  }
}
