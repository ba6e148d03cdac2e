import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Agent } from 'undici'
import { type ConnectedEngine, connectEngine } from '../../src/engine/index.js'
import type { ComparedAnswer } from '../../src/evidence/index.js'
import { askMiner, type InferenceRequest } from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import { createRandom, makePrompt } from '../../src/prompts/index.js'
import { type Verdict, verifyAnswer } from '../../src/verification/index.js'
import { startMinerRig } from '../support/miner-rig.js'
import type { RequestKind } from './configurations.js'
import type { VllmEnvironment } from './environment.js'
import { MODEL, type VllmServer } from './server.js'

/** An answer that went from a vLLM through a miner to a validator, with its verdict. */
export interface FieldAnswer {
  readonly verdict: Verdict
  /** Undefined when the answer failed before it was compared. */
  readonly compared: ComparedAnswer | undefined
}

/** A miner role in front of one vLLM, and what a validator does with its answers: ask, verify, compare with another vLLM. */
export interface Field {
  readonly engine: ConnectedEngine
  ask(request: InferenceRequest): Promise<FieldAnswer>
  close(): Promise<void>
}

/** A loaded machine may be slow; how fast answers come is not judged here. */
const PATIENT = { firstTokenMs: 300_000, gapMs: 300_000, totalMs: 900_000, parsingMs: 10_000 }

export async function openField(
  environment: VllmEnvironment,
  servers: { readonly miner: VllmServer; readonly reference: VllmServer },
): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-vllm-'))
  const modelDir = await modelFolder(environment, folder)
  const rig = await startMinerRig({ settings: { 'model-endpoint': [`${servers.miner.url}/v1`] } })
  await rig.healthy
  const engine = connectEngine({
    ...{ model: MODEL, urls: [servers.reference.url], hubUrl: 'http://127.0.0.1:9', modelDir },
    ...{ cacheDir: folder, clock: systemClock, log: pino({ enabled: false }) },
    scoringTimeoutMs: 600_000,
  })
  await engine.whenReady(AbortSignal.timeout(600_000))
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const signal = new AbortController().signal
  const ask: Field['ask'] = async (request) => {
    const answer = await askMiner(
      request,
      { url: rig.url, hotkey: rig.miner.address },
      { clock: systemClock, signer: rig.validator, dispatcher, limits: PATIENT, burst: null },
    )
    let compared: ComparedAnswer | undefined
    const onCompared = (one: ComparedAnswer) => {
      compared = one
    }
    const verdict = await verifyAnswer({
      ...{ request, answer, engine, rules: 'strict' as const, clock: systemClock, signal, onCompared },
    })
    return { verdict, compared }
  }
  return {
    engine,
    ask,
    close: async () => {
      await rig.close()
      await engine.close()
      await dispatcher.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A folder for `--engine.model-dir`, with the files of the honest model. */
export async function modelFolder({ models }: VllmEnvironment, folder: string): Promise<string> {
  const [owner = '', name = ''] = MODEL.split('/')
  await mkdir(join(folder, 'models', owner), { recursive: true })
  await symlink(join(models, 'honest'), join(folder, 'models', owner, name))
  return join(folder, 'models')
}

/** The date that prompts may name. */
const dayClock: Clock = { ...systemClock, now: () => Date.UTC(2026, 10, 22) }

/** Requests as rounds of a validator make them, but shorter. The first requests do not depend on the count. */
export async function makeRequests(kind: RequestKind, count: number): Promise<InferenceRequest[]> {
  const requests: InferenceRequest[] = []
  for (let index = 0; index < count; index++) {
    const prompt = await makePrompt(
      {
        model: MODEL,
        endpoints: ['chat', 'completion'],
        maxTokens: kind.maxTokens,
        random: createRandom(`${kind.seed} ${index}`),
        clock: dayClock,
        greedyShare: kind.greedyShare,
      },
      new AbortController().signal,
    )
    const request: InferenceRequest = prompt.forMiner('miner')
    const temperature = kind.temperatures?.[index % kind.temperatures.length]
    const isSampled = request.temperature !== 0 && temperature !== undefined
    requests.push(isSampled ? { ...request, temperature } : request)
  }
  return requests
}
