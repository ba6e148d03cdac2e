import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { SubtensorClient, WeightsPipeline } from '../chain/index.js'
import type { ValidatorSettings } from '../config/index.js'
import type { EngineSet, ReferenceEngine, RegistryLogin } from '../engine/index.js'
import { TargonError } from '../kernel/index.js'
import type { ModelList } from '../models/index.js'
import type { QuestionSource } from '../prompts/index.js'
import type { Signer } from '../wallet/index.js'
import { connectNeuronChain, ROLE_FIRST_CONNECT_MS } from './neuron.js'
import type { RoleDeps } from './role.js'

/** What a validator uses but does not own. */
export interface ValidatorTools {
  readonly subtensor: SubtensorClient
  readonly weights: WeightsPipeline
  readonly models: ModelList
  readonly engines: () => readonly ReferenceEngine[]
  /** The bundled questions when absent. */
  readonly questions?: QuestionSource
  readonly explainEngine: EngineSet['explain']
  /** Absent when the engines are configured addresses. */
  readonly refreshEngines?: EngineSet['refresh']
  /** Closes everything in reverse order of opening; never rejects. */
  close(): Promise<void>
}

/**
 * Opens chain, weights ledger, model list and reference engines.
 *
 * @param networkGiven the user named the network, so the endpoints must have its genesis.
 * @param searchPath folders in which to find nvidia-smi.
 * @throws TargonError CHAIN_UNREACHABLE (unreachable), HOTKEY_IN_USE (hotkey-in-use), HOTKEY_LOCK (runtime),
 *   ENGINE_ENDPOINTS, REGISTRY_LOGIN (usage)
 */
export async function openValidatorTools(
  settings: ValidatorSettings,
  signer: Signer,
  networkGiven: boolean,
  searchPath: string,
  deps: RoleDeps,
): Promise<ValidatorTools> {
  const { clock, log, signal, stateDir } = deps
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const release of closers.splice(0).reverse())
      await release().catch((error: unknown) =>
        log.warn({ event: 'close-failed', err: error }, 'could not close a resource cleanly'),
      )
  }
  try {
    const models = await openModels(settings, deps)
    const engines = await openEngines(settings, signer.address, searchPath, deps)
    closers.push(() => engines.close())
    const questions = await openQuestions(settings, deps, closers)
    const waiting = { ...deps, firstConnectMs: ROLE_FIRST_CONNECT_MS }
    const subtensor = await connectNeuronChain(settings, networkGiven, waiting)
    closers.push(() => subtensor.close())
    const { openWeightsPipeline } = await import('../chain/index.js')
    const weights = await openWeightsPipeline({
      chain: subtensor,
      signer,
      netuid: settings.netuid,
      ledgerPath: join(stateDir, 'weights.json'),
      isAlone: settings['i-am-alone'],
      clock,
      log,
      signal,
    })
    closers.push(() => weights.close())
    return {
      subtensor,
      weights,
      models,
      ...(questions ? { questions } : {}),
      engines: () => engines.current(),
      explainEngine: engines.explain,
      ...(engines.mode === 'docker' ? { refreshEngines: engines.refresh } : {}),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function openModels(settings: ValidatorSettings, { stateDir, log }: RoleDeps): Promise<ModelList> {
  const { createModelList } = await import('../models/index.js')
  return createModelList({
    mode: settings['models.mode'],
    file: settings['models.file'],
    endpoint: settings['models.endpoint'],
    stateDir,
    log,
  })
}

/** @param owner hotkey that owns the containers, in mode docker. */
async function openEngines(
  settings: ValidatorSettings,
  owner: string,
  searchPath: string,
  { clock, log, stateDir, progress }: RoleDeps,
): Promise<EngineSet> {
  const { createEngineSet, parseEngineEndpoints } = await import('../engine/index.js')
  return createEngineSet({
    mode: settings['engine.mode'],
    endpoints: parseEngineEndpoints(settings['engine.endpoints']),
    apiKey: settings['engine.api-key'],
    hubUrl: settings['engine.hub-url'],
    hubToken: settings['engine.hub-token'],
    modelDir: settings['engine.model-dir'],
    stateDir,
    clock,
    log,
    onProgress: progress?.report,
    onSettled: progress?.end,
    docker: {
      socketPath: settings['engine.docker-socket'],
      image: imageReference(settings['engine.image'], settings['engine.image-tag']),
      registryLogin: registryLogin(settings),
      cacheDir: settings['engine.cache-dir'],
      gpuMemoryUtilization: settings['engine.gpu-memory-utilization'],
      owner,
      shuffle: shuffled,
      searchPath,
    },
  })
}

/** A name with a digest needs no tag. */
function imageReference(image: string, tag: string): string {
  return image.includes('@') ? image : `${image}:${tag}`
}

/** @throws TargonError REGISTRY_LOGIN (usage) when only one half is set */
function registryLogin({
  'engine.registry-user': username,
  'engine.registry-password': password,
}: Pick<ValidatorSettings, 'engine.registry-user' | 'engine.registry-password'>): RegistryLogin | undefined {
  if (username !== undefined && password !== undefined) return { username, password }
  if (username === password) return undefined
  const missing = password === undefined ? 'TARGON_ENGINE_REGISTRY_PASSWORD' : 'TARGON_ENGINE_REGISTRY_USER'
  throw new TargonError(
    `The login to the registry of the engines' image is incomplete: ${missing} is not set.`,
    {
      code: 'REGISTRY_LOGIN',
      fault: 'usage',
      next: `Set ${missing}, or remove the other half.`,
    },
  )
}

/** A seeded run must be reproducible, so it uses the bundled questions unless a data set is named. */
async function openQuestions(
  settings: Pick<ValidatorSettings, 'dataset.url' | 'engine.hub-url' | 'seed'>,
  { clock, log, signal, stateDir, progress }: RoleDeps,
  closers: (() => Promise<unknown>)[],
): Promise<QuestionSource | undefined> {
  const { 'dataset.url': url, seed } = settings
  if (url === 'off' || (url === undefined && seed !== undefined)) return undefined
  const { createDataset, createRandom, infinityInstruct, readInBackground } = await import(
    '../prompts/index.js'
  )
  const source = url ?? infinityInstruct(settings['engine.hub-url'])
  const closing = new AbortController()
  closers.push(async () => closing.abort())
  const random = createRandom(seed ?? randomUUID())
  const onProgress = (bytes: number, ofBytes: number | undefined) => {
    const percent = ofBytes ? (100 * bytes) / ofBytes : undefined
    progress?.report('data set', `${(bytes / 1e6).toFixed(1)} MB`, percent)
    if (percent !== undefined && percent >= 100) progress?.end()
  }
  const dataset = createDataset({ source, cacheDir: stateDir, random, clock, onProgress })
  const tracked: QuestionSource = {
    nextQuestion: async (inner) => {
      try {
        return await dataset.nextQuestion(inner)
      } catch (error) {
        progress?.end()
        throw error
      }
    },
  }
  return readInBackground(tracked, log.child({ source }), AbortSignal.any([signal, closing.signal]))
}

/** Fisher–Yates, so that which model gets the free GPUs does not depend on the order of the list. */
function shuffled(models: readonly string[]): string[] {
  const order = [...models]
  for (let index = order.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1))
    const [a, b] = [order[index], order[other]]
    if (a !== undefined && b !== undefined) [order[index], order[other]] = [b, a]
  }
  return order
}
