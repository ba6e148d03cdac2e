import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { connectSubtensor } from '../../src/chain/index.js'
import {
  type HubSettings,
  type MinerSettings,
  type Role,
  settingNames,
  settings as table,
  type ValidatorSettings,
} from '../../src/config/index.js'
import type { Context } from '../../src/doctor/index.js'
import { once } from '../../src/doctor/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import {
  type DevelopmentChain,
  type DevelopmentChainDeps,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from '../../src/localnet/chain/index.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../src/localnet/engine/index.js'
import { loadNeuronHotkey } from '../../src/roles/index.js'
import { startMiner } from '../../src/roles/miner/index.js'
import { writeDevelopmentWallet } from '../../src/wallet/index.js'
import { freePort } from './free-port.js'
import { hotkeyOf } from './hotkeys.js'
import { temporaryFolder } from './temporary-folder.js'

export const DOCTOR_MODEL = 'targon-dev/small-a'
const [VALIDATOR, MINER, STRANGER] = [1, 2, 3]
const log = pino({ enabled: false })

/** A subnet on which nothing is wrong: a chain, an engine, and a running miner that has announced its address. */
export interface DoctorRig {
  readonly chain: DevelopmentChain
  readonly engine: DevelopmentEngine
  readonly folder: string
  startChain(options?: DevelopmentChainOptions, deps?: DevelopmentChainDeps): Promise<DevelopmentChain>
  startEngine(options?: Partial<DevelopmentEngineOptions>): Promise<DevelopmentEngine>
  /** A second miner with these settings, on ports of its own. */
  startMiner(settings: Partial<MinerSettings>): Promise<void>
  /** What doctor gets for the running miner, with changes. */
  miner(change?: Change<MinerSettings>): Context<MinerSettings>
  /** What doctor gets for a validator that does not run. */
  validator(change?: Change<ValidatorSettings>): Context<ValidatorSettings>
  /** What doctor gets for a hub that does not run; its hotkey is the validator's. */
  hub(change?: Change<HubSettings>): Context<HubSettings>
  close(): Promise<void>
}

export interface Change<Settings> {
  readonly settings?: Partial<Settings>
  readonly context?: Partial<Omit<Context<MinerSettings>, 'settings' | 'machine'>>
  readonly machine?: Partial<Context['machine']>
}

export async function startDoctorRig(): Promise<DoctorRig> {
  const folder = temporaryFolder('doctor')
  const closers: (() => Promise<unknown>)[] = []
  const keys = await Promise.all([VALIDATOR, MINER].map((seed) => hotkeyOf(seed)))
  await writeDevelopmentWallet(
    join(folder, 'wallets'),
    'test',
    [VALIDATOR, MINER, STRANGER].map((seed) => ({ name: nameOf(seed), seed: seedOf(seed) })),
  )
  const startChain: DoctorRig['startChain'] = async (options = {}, deps = {}) => {
    const neurons = keys.map(({ publicKey }, uid) => ({
      ...{ hotkey: publicKey, coldkey: publicKey, validatorPermit: uid === 0 },
      stakeTao: uid === 0 ? 100_000 : 0,
    }))
    const blocks = { sealing: 'interval', blockTimeMs: 300, allowLoopbackAxon: true } as const
    const chain = await startDevelopmentChain({ ...blocks, neurons, ...options }, deps)
    closers.push(() => chain.close())
    // Block 0 has no timestamp.
    await new Promise<void>((resolve) => {
      const stop = chain.chain.onBlock.add(() => {
        stop()
        resolve()
      })
    })
    return chain
  }
  const startEngine: DoctorRig['startEngine'] = async (options = {}) => {
    const usual = { port: 0, models: [DOCTOR_MODEL], returnTokensAsTokenIds: true, maxLogprobs: 32 }
    const engine = await startDevelopmentEngine(
      { ...usual, tokensPerSecond: 400, ...options },
      { clock: systemClock },
    )
    closers.push(() => engine.close())
    return engine
  }
  const [chain, engine] = [await startChain(), await startEngine()]
  const ports = { 'axon.port': await freePort(), 'metrics.port': await freePort() }
  const common = {
    netuid: 4,
    ...{ 'subtensor.network': 'local', 'subtensor.chain_endpoint': [chain.url] },
    ...{ 'wallet.path': join(folder, 'wallets'), 'wallet.name': 'test' },
    ...{ 'logging.logging_dir': join(folder, 'state'), 'update.root': join(folder, 'releases') },
    'update.url': join(folder, 'no-repository'),
  }
  const minerSettings: MinerSettings = {
    ...defaultsOf<MinerSettings>('miner'),
    ...{ ...common, ...ports, 'wallet.hotkey': nameOf(MINER), 'model-endpoint': [`${engine.url}/v1`] },
    ...{ 'axon.ip': '127.0.0.1', 'axon.external_ip': '127.0.0.1', 'signature-workers': 0 },
    launched: true,
  }
  const validatorSettings: ValidatorSettings = {
    ...defaultsOf<ValidatorSettings>('validator'),
    ...{ ...common, 'wallet.hotkey': nameOf(VALIDATOR), 'metrics.port': await freePort() },
    ...{ 'engine.mode': 'endpoints', 'engine.endpoints': [`${DOCTOR_MODEL}=${engine.url}`] },
    ...{ 'models.mode': 'config', 'models.file': join(folder, 'models.txt') },
    ...{ 'hub.url': 'off', 'autoupdate-off': true, 'engine.hub-url': engine.url },
  }
  const hubSettings: HubSettings = {
    ...defaultsOf<HubSettings>('hub'),
    ...{ ...common, 'wallet.hotkey': nameOf(VALIDATOR), 'metrics.port': await freePort() },
    ...{ 'hub.port': await freePort(), 'allow-private-axons': true },
  }
  writeDatabase(join(common['logging.logging_dir'], 'hub'))
  closers.push(await runMiner(minerSettings))
  const contextOf = <S extends MinerSettings | ValidatorSettings | HubSettings>(
    role: 'miner' | 'validator' | 'hub',
    base: S,
    change: Change<S> = {},
  ): Context<S> => {
    const settings: S = { ...base, ...change.settings }
    const stateDir = join(settings['logging.logging_dir'], role)
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    return {
      settings,
      reading: { warnings: [], shadowed: [], given: 9, isNetworkGiven: false },
      stateDir,
      modelFiles: { hubUrl: engine.url },
      loadHotkey: once(() => loadNeuronHotkey(settings, { variables: {} })),
      machine: {
        ...{ nodeVersion: '20.19.0', searchPath: '', descriptorLimit: () => 65_536 },
        ...{ freeBytes: async () => 1e12, ownAddresses: () => [] },
        lookup: async () => [{ address: '127.0.0.1', family: 4 }],
        ...change.machine,
      },
      surroundings: { node: { version: '20.19.0', path: process.execPath }, env: gitEnvironment() },
      ...{ clock: systemClock, log, signal: new AbortController().signal },
      ...change.context,
    }
  }
  return {
    ...{ chain, engine, folder, startChain, startEngine },
    startMiner: async (settings) => {
      const own = { 'axon.port': await freePort(), 'metrics.port': await freePort() }
      closers.push(await runMiner({ ...minerSettings, ...own, ...settings }))
    },
    miner: (change) => contextOf('miner', minerSettings, change),
    validator: (change) => contextOf('validator', validatorSettings, change),
    hub: (change) => contextOf('hub', hubSettings, change),
    close: async () => {
      for (const close of closers.reverse()) await close()
    },
  }
}

/** The keys of a hub that has not written any yet. */
function writeDatabase(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  writeFileSync(join(stateDir, 'accounts.sqlite'), '', { mode: 0o600 })
}

/** @returns what stops it */
async function runMiner(settings: MinerSettings): Promise<() => Promise<unknown>> {
  const stopping = new AbortController()
  const deps = { clock: systemClock, log, signal: stopping.signal }
  const subtensor = await connectSubtensor({ endpoints: settings['subtensor.chain_endpoint'] }, deps)
  const signer = await loadNeuronHotkey(settings, { variables: {} })
  const running = await startMiner(settings, { ...deps, subtensor, signer, stateDir: '/nonexistent' })
  return async () => {
    stopping.abort()
    await running.done
    await subtensor.close()
  }
}

function defaultsOf<Settings>(role: Role): Settings {
  const names = settingNames(role)
  return Object.fromEntries(names.map((name) => [name, table[name].default])) as Settings
}

export function nameOf(seed: number): string {
  return `key-${seed}`
}

function seedOf(seed: number): Uint8Array {
  return new Uint8Array(32).fill(seed)
}

function gitEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '' }
}
