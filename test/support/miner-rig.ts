import { pino } from 'pino'
import { request } from 'undici'
import { type MinerSettings, settingNames, settings } from '../../src/config/index.js'
import { signRequest } from '../../src/epistula/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { type MinerDeps, type MinerReport, startMiner } from '../../src/roles/miner/index.js'
import type { Signer } from '../../src/wallet/index.js'
import { createFakeSubtensor, type FakeSubtensor, neuronOf } from './fake-subtensor.js'
import { hotkeyOf } from './hotkeys.js'

/** The default settings of a miner on loopback and free ports, with the test's changes. */
export function minerSettingsOf(changes: Partial<MinerSettings> = {}): MinerSettings {
  const defaults = Object.fromEntries(settingNames('miner').map((name) => [name, settings[name].default]))
  return {
    ...(defaults as MinerSettings),
    'axon.ip': '127.0.0.1',
    'axon.port': 0,
    'axon.external_ip': '45.33.32.11',
    'metrics.port': 0,
    'signature-workers': 0,
    ...changes,
  }
}

export interface MinerRig {
  readonly url: string
  readonly statusUrl: string
  readonly miner: Signer
  readonly validator: Signer
  /** Registered, without stake. */
  readonly poor: Signer
  readonly subtensor: FakeSubtensor
  readonly logs: Record<string, unknown>[]
  readonly done: Promise<MinerReport>
  readonly healthy: Promise<void>
  /** Starts the drain. */
  stop(): void
  /** Drains and waits. */
  close(): Promise<MinerReport>
  /** Headers of a request signed by the validator, or by another hotkey. */
  sign(
    body: string | Buffer,
    options?: { signer?: Signer; nowMs?: number; uuid?: string; model?: string },
  ): Record<string, string>
  /** A signed POST of this JSON text. */
  post(path: string, body: string, headers?: Record<string, string>): ReturnType<typeof request>
}

/** The real miner role on free ports, against a chain in memory. */
export async function startMinerRig(options: {
  readonly settings?: Partial<MinerSettings>
  readonly clock?: Clock
  readonly deps?: Partial<MinerDeps>
}): Promise<MinerRig> {
  const [miner, validator, poor] = await Promise.all([hotkeyOf(1), hotkeyOf(2), hotkeyOf(5)])
  const subtensor = createFakeSubtensor([
    neuronOf({ uid: 0, hotkey: validator.address, stakeTao: 20_000, validatorPermit: true }),
    neuronOf({ uid: 1, hotkey: miner.address }),
    neuronOf({ uid: 2, hotkey: poor.address }),
  ])
  const logs: Record<string, unknown>[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line) => void logs.push(JSON.parse(line)) })
  const stopping = new AbortController()
  const clock = options.clock ?? systemClock
  const running = await startMiner(minerSettingsOf(options.settings), {
    clock,
    log,
    signal: stopping.signal,
    stateDir: '/nonexistent',
    subtensor,
    signer: miner,
    ...options.deps,
  })
  const port = logs.find(({ event }) => event === 'miner-listening')?.port
  const statusUrl = logs.find(({ event }) => event === 'status-server-listening')?.url
  const url = `http://127.0.0.1:${port}`
  const sign: MinerRig['sign'] = (body, { signer = validator, nowMs = clock.now(), uuid, model } = {}) =>
    signRequest({ signer, signedFor: miner.address, body: Buffer.from(body), nowMs, uuid, model })
  return {
    url,
    statusUrl: String(statusUrl),
    miner,
    validator,
    poor,
    subtensor,
    logs,
    done: running.done,
    healthy: running.healthy,
    stop: () => stopping.abort(),
    close: () => {
      stopping.abort()
      return running.done
    },
    sign,
    post: (path, body, headers) =>
      request(`${url}${path}`, { method: 'POST', body, headers: headers ?? sign(body) }),
  }
}
