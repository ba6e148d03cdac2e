import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Agent } from 'undici'
import { type ConnectedEngine, connectEngine } from '../../src/engine/index.js'
import {
  type Answer,
  askMiner,
  type BurstRule,
  type InferenceRequest,
  type StreamLimits,
} from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../src/localnet/engine/index.js'
import { createRandom, makePrompt } from '../../src/prompts/index.js'
import { type RuleSet, type Verdict, verifyAnswer } from '../../src/verification/index.js'
import { hotkeyOf } from './hotkeys.js'

export const MODEL = 'targon-dev/small-a'

/** A reference engine and miners' engines, all real HTTP servers on port 0. */
export interface VerificationRig {
  readonly reference: DevelopmentEngine
  readonly engine: ConnectedEngine
  startMiner(options?: Partial<DevelopmentEngineOptions>): Promise<DevelopmentEngine>
  connect(url: string, model?: string): ConnectedEngine
  ask(url: string, request: InferenceRequest, options?: RigAskOptions): Promise<Answer>
  verify(
    request: InferenceRequest,
    answer: Answer,
    rules?: RuleSet,
    engine?: ConnectedEngine,
  ): Promise<Verdict>
  close(): Promise<void>
}

/** Prompts contain the date, so the checked-in table needs a fixed one. */
const fixedDateClock: Clock = { ...systemClock, now: () => Date.UTC(2026, 10, 22) }

/** A fixed time of day, from which 4.4.1's random check derives its positions. */
const fixedTimeClock: Clock = { ...systemClock, now: () => 1_734_000_000_000 }

export interface RigAskOptions {
  readonly rules?: RuleSet
  readonly limits?: Partial<StreamLimits>
  /** Rule for answers generated first and streamed later. Default: none, because miners are not paced. */
  readonly burst?: BurstRule | null
}

export async function startVerificationRig(
  options: Partial<DevelopmentEngineOptions> = {},
): Promise<VerificationRig> {
  const signal = new AbortController().signal
  const cacheDir = await mkdtemp(join(tmpdir(), 'verification-'))
  const signer = await hotkeyOf(7)
  const engines: DevelopmentEngine[] = []
  const connected: ConnectedEngine[] = []
  const dispatcher = new Agent()
  const start = async (change: Partial<DevelopmentEngineOptions> = {}) => {
    const engine = await startDevelopmentEngine(
      { port: 0, models: [MODEL], returnTokensAsTokenIds: true, ...change },
      { clock: systemClock },
    )
    engines.push(engine)
    return engine
  }
  const connect = (url: string, model = MODEL) => {
    const engine = connectEngine({
      model,
      urls: [url],
      hubUrl: url,
      cacheDir: join(cacheDir, String(connected.length)),
      clock: systemClock,
      log: pino({ enabled: false }),
    })
    connected.push(engine)
    return engine
  }
  const reference = await start(options)
  const engine = connect(reference.url)
  await engine.whenReady(AbortSignal.timeout(50_000))
  return {
    reference,
    engine,
    startMiner: start,
    connect,
    ask: (url, request, { rules = 'strict', limits, burst = null } = {}) =>
      askMiner(
        request,
        { url, hotkey: signer.address },
        { clock: systemClock, signer, dispatcher, limits, rules, burst },
      ),
    verify: (request, answer, rules = 'strict', by = engine) =>
      verifyAnswer({ request, answer, engine: by, rules, clock: fixedTimeClock, signal }),
    close: async () => {
      await Promise.all(connected.map((one) => one.close()))
      await Promise.all(engines.map((one) => one.close()))
      await dispatcher.destroy()
      await rm(cacheDir, { recursive: true, force: true })
    },
  }
}

/** A synthetic request with its temperature, endpoint and length set. */
export async function requestOf(
  seed: string,
  change: {
    temperature: number
    endpoint?: 'chat' | 'completion'
    maxTokens?: number
    model?: string
    mayBeCut?: true
  },
): Promise<InferenceRequest> {
  const prompt = await makePrompt(
    {
      model: change.model ?? MODEL,
      endpoints: [change.endpoint ?? 'chat'],
      maxTokens: { min: change.maxTokens ?? 192, max: change.maxTokens ?? 192 },
      random: createRandom(seed),
      clock: fixedDateClock,
    },
    new AbortController().signal,
  )
  const { temperature, mayBeCut } = change
  return { ...prompt.forMiner('miner'), temperature, ...(mayBeCut ? { mayBeCut } : {}) }
}
