import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import {
  type BlockHead,
  type Metagraph,
  type Neuron,
  openWeightsPipeline,
  type SetWeightsResult,
  type WeightsChain,
  type WeightsPipeline,
  type WeightsPipelineOptions,
} from '../../../src/chain/index.js'
import { settingNames, settings as table, type ValidatorSettings } from '../../../src/config/index.js'
import type { ReferenceEngine } from '../../../src/engine/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import {
  startValidator,
  type ValidatorDeps,
  type ValidatorReport,
} from '../../../src/roles/validator/index.js'
import type { ValidatorContext } from '../../../src/roles/validator/subnet/context.js'
import { createMetrics } from '../../../src/telemetry/index.js'
import type { FakeMiner } from '../../support/fake-miner.js'
import { createFakeSubtensor, type FakeSubtensor, neuronOf } from '../../support/fake-subtensor.js'
import { hotkeyOf } from '../../support/hotkeys.js'

export const MODEL = 'org/tiny'

/** An engine for which token i of an answer is ` w<i>` with logprob −0.1 and rank 1. */
export function createRigEngine(model = MODEL): ReferenceEngine & { failure: Error | undefined } {
  const fail = () => {
    if (engine.failure) throw engine.failure
  }
  const engine: ReferenceEngine & { failure: Error | undefined } = {
    model,
    failure: undefined,
    facts: {
      vocabularySize: 100_000,
      eosTokenIds: [99_999],
      endOfTurnId: undefined,
      endpoints: ['chat', 'completion'],
      maxLogprobs: 20,
      dialect: 'v1',
      scaledLogprobs: true,
      maxModelLength: 4096,
    },
    unreadyReason: undefined,
    tokenizeChat: async () => [1, 2, 3],
    tokenizeText: async () => [1, 2, 3],
    detokenize: async (ids) => {
      fail()
      return ids.map((id) => ` w${id}`).join('')
    },
    score: async ({ output }) => {
      fail()
      return {
        positions: output.map((id) => new Map([[id, { logprob: -0.1, rank: 1 }]])),
        next: new Map([[7, { logprob: -0.1, rank: 1 }]]),
      }
    },
    generate: async () => {
      fail()
      return 'What is the tallest mountain?'
    },
  }
  return engine
}

export interface RigChain extends FakeSubtensor {
  readonly weightsStatus: WeightsChain['weightsStatus']
  setWeights(...call: Parameters<WeightsChain['setWeights']>): ReturnType<WeightsChain['setWeights']>
  /** Emits a head and moves the block of the next metagraph. */
  grow(number: number): void
  readonly submissions: {
    readonly block: number
    readonly uids: readonly number[]
    readonly scores: readonly number[]
  }[]
  /** Results of the next submissions; `set` when empty. */
  readonly answers: SetWeightsResult[]
}

/** A chain whose heads the test makes, with a record of submissions. */
export function createRigChain(neurons: Neuron[], startBlock = 100): RigChain {
  let head: BlockHead = { number: startBlock, hash: '0x' }
  let nonce = 0
  const listeners = new Set<() => void>()
  const fake = createFakeSubtensor(neurons)
  const chain: RigChain = Object.assign(fake, {
    submissions: [],
    answers: [],
    head: () => head,
    grow: (number: number) => {
      head = { number, hash: `0x${number}` }
      for (const wake of listeners) wake()
    },
    async *blocks(signal: AbortSignal) {
      let seen = startBlock
      while (!signal.aborted) {
        if (head.number > seen) {
          seen = head.number
          yield head
          continue
        }
        await new Promise<void>((resolve) => {
          listeners.add(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    },
    metagraph: async (netuid: number): Promise<Metagraph> => {
      chain.metagraphReads++
      if (chain.failure) throw chain.failure
      const all = chain.neurons
      const find = (hotkey: string) => all.find((neuron) => neuron.hotkey === hotkey)
      return { netuid, block: head.number, blockHash: '0x', neurons: all, readAt: 0, find }
    },
    weightsStatus: async (_netuid: number, hotkey: string) => {
      const own = chain.neurons.find((neuron) => neuron.hotkey === hotkey)
      const lastUpdateBlock = own?.lastUpdateBlock ?? 0
      return { block: head.number, uid: own?.uid, lastUpdateBlock, rateLimitBlocks: 0, nonce }
    },
    setWeights: async (
      ...[signer, { uids, scores, onSigned }]: Parameters<WeightsChain['setWeights']>
    ): Promise<SetWeightsResult> => {
      const block = head.number
      const entries = uids.map((uid, index) => ({ uid, weightU16: Math.round((scores[index] ?? 0) * 65535) }))
      await onSigned?.({ hash: '0x', nonce, path: 'direct', entries })
      const answer = chain.answers.shift()
      if (answer && answer.kind !== 'set') return answer
      nonce++
      chain.submissions.push({ block, uids, scores })
      chain.neurons = chain.neurons.map((neuron) =>
        neuron.hotkey === signer.address ? { ...neuron, lastUpdateBlock: block } : neuron,
      )
      return answer ?? { kind: 'set', block, path: 'direct', hash: '0x', entries }
    },
  })
  return chain
}

/** The real weights pipeline for that chain; no other machine uses the hotkey. */
export function openRigWeights(
  chain: RigChain,
  options: Pick<WeightsPipelineOptions, 'clock' | 'log' | 'signer' | 'signal'> & { readonly folder: string },
): Promise<WeightsPipeline> {
  const ledgerPath = join(options.folder, 'weights.json')
  return openWeightsPipeline({ ...options, chain, netuid: 4, ledgerPath, isAlone: true })
}

export function defaultSettings(overrides: Partial<ValidatorSettings>): ValidatorSettings {
  const defaults = Object.fromEntries(settingNames('validator').map((name) => [name, table[name].default]))
  return { ...(defaults as ValidatorSettings), ...overrides }
}

/** The context of a validator's services; a test gives what matters to it. */
export function createRigContext<Given extends Partial<ValidatorContext>>(given: Given) {
  return {
    clock: systemClock,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    stateDir: '',
    settings: defaultSettings({}),
    metrics: createMetrics('validator'),
    engines: () => [createRigEngine()],
    explainEngine: () => ({ reason: 'it has no engine' }),
    fail: () => {},
    ...given,
  }
}

export interface LogLine {
  readonly event: string
  readonly [field: string]: unknown
}

export interface Rig {
  readonly chain: RigChain
  readonly settings: ValidatorSettings
  readonly deps: ValidatorDeps
  readonly log: LogLine[]
  /** Resolves with the first line that matches, past or future. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>
  start(): Promise<{ readonly url: string; stop(): Promise<ValidatorReport> }>
  dispose(): Promise<void>
}

/** A validator with real sockets to fake miners, an engine and a chain in memory. */
export async function createRig(
  miners: readonly FakeMiner[],
  overrides: Partial<ValidatorSettings> = {},
  depsOverrides: Partial<ValidatorDeps> = {},
): Promise<Rig> {
  const signer = await hotkeyOf(200)
  const neurons = [neuronOf({ uid: 0, hotkey: signer.address, validatorPermit: true, stakeTao: 50_000 })]
  for (const [index, { port }] of miners.entries()) {
    const { address } = await hotkeyOf(index + 1)
    const axon = { ip: '127.0.0.1', port, ipType: 4, protocol: 4, version: 1, block: 1 } as const
    neurons.push(neuronOf({ uid: index + 1, hotkey: address, axon }))
  }
  const folder = await mkdtemp(join(tmpdir(), 'targon-validator-'))
  const stateDir = join(folder, 'validator')
  await mkdir(stateDir)
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      for (const text of chunk.toString().trim().split('\n')) lines.push(JSON.parse(text))
      for (const wake of [...waiting]) wake()
      done()
    },
  })
  const chain = createRigChain(neurons)
  let stopped: Promise<ValidatorReport> | undefined
  const abort = new AbortController()
  const engine = createRigEngine()
  const log = pino({ level: 'debug' }, sink)
  const state = depsOverrides.stateDir ?? stateDir
  const weights = await openRigWeights(chain, {
    ...{ clock: systemClock, log, signer, signal: abort.signal, folder: state },
  })
  const deps: ValidatorDeps = {
    clock: systemClock,
    log,
    weights,
    signal: abort.signal,
    stateDir,
    subtensor: chain,
    signer,
    engines: () => [engine],
    models: { current: () => [MODEL], refresh: async () => {} },
    ...depsOverrides,
  }
  const settings = defaultSettings({
    'allow-private-axons': true,
    'metrics.port': 0,
    'round.max-tokens': { min: 16, max: 16 },
    'round.stall-limit': 5000,
    'epoch-length': 30,
    'hub.url': 'off',
    history: false,
    'round.thread': false,
    seed: 'test',
    ...overrides,
  })
  const logged = (matches: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve) => {
      const check = () => {
        const found = lines.find(matches)
        if (!found) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  return {
    chain,
    settings,
    deps,
    log: lines,
    logged,
    start: async () => {
      const running = await startValidator(settings, deps)
      stopped = running.done
      const { url } = await logged(({ event }) => event === 'status-server-listening')
      const stop = async () => {
        abort.abort()
        return running.done.finally(() => weights.close())
      }
      return { url: String(url), stop }
    },
    dispose: async () => {
      abort.abort()
      await stopped?.catch(() => {})
      await weights.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
