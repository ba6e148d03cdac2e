import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TargonError } from '../../kernel/index.js'
import { type BehaviourName, behaviourOf } from './behaviour/index.js'
import { type EngineFault, type EngineState, makeMetrics, route, Slots } from './http/index.js'
import { loadModel, loadTokenizer } from './language/index.js'
import type { DevelopmentEngineDeps, DevelopmentEngineOptions } from './options.js'

export interface DevelopmentEngine {
  /** Base address without a path: `http://127.0.0.1:40000`; clients append `/v1`. Also a hub for its own models. */
  readonly url: string
  readonly port: number
  readonly models: readonly string[]
  /** Answers under way and waiting. */
  readonly load: { readonly running: number; readonly waiting: number }
  readonly behaviour: BehaviourName
  /** Takes effect with the next request. */
  setBehaviour(name: BehaviourName): void
  /** What is wrong with the engine now; undefined = nothing. It may end up `dead` by itself. */
  readonly fault: EngineFault | undefined
  /** Breaks or mends the engine, from the next request on. */
  setFault(fault: EngineFault | undefined): void
  /** Speed of the answers that begin from now on. */
  setPace(pace: { readonly tokensPerSecond?: number; readonly timeToFirstTokenMs?: number }): void
  /** Breaks what is under way and frees the port. */
  close(): Promise<void>
}

/**
 * Starts a development engine and resolves when it listens; its models are trained by then.
 *
 * @throws TargonError ENGINE_NO_MODELS, ENGINE_PORT
 */
export async function startDevelopmentEngine(
  options: DevelopmentEngineOptions,
  deps: DevelopmentEngineDeps,
): Promise<DevelopmentEngine> {
  if (options.models.length === 0) {
    throw new TargonError('A development engine needs at least one model name.', {
      code: 'ENGINE_NO_MODELS',
      fault: 'usage',
      next: 'Give a name, for example targon-dev/small-a.',
    })
  }
  const dialect = options.dialect ?? 'v1'
  const slots = new Slots(options.maxConcurrentSequences ?? 256)
  let behaviour = options.behaviour ?? 'honest'
  const state: EngineState = {
    clock: deps.clock,
    tokenizer: loadTokenizer(),
    models: [...new Set(options.models)],
    dialect,
    logprobsMode: options.logprobsMode ?? (dialect === 'v0' ? 'processed' : 'raw'),
    apiKey: options.apiKey,
    maxModelLen: options.maxModelLen ?? 8192,
    maxLogprobs: options.maxLogprobs ?? 20,
    returnTokensAsTokenIds: options.returnTokensAsTokenIds ?? false,
    tokensPerChunk: options.tokensPerChunk ?? 1,
    startedAtSeconds: Math.floor(deps.clock.now() / 1000),
    metrics: makeMetrics(dialect, options.models, slots),
    slots,
    behaviour: behaviourOf(behaviour),
    fault: options.fault,
    readyAtMs: deps.clock.monotonic() + (options.readyAfterMs ?? 0),
    pace: { tokensPerSecond: options.tokensPerSecond, timeToFirstTokenMs: options.timeToFirstTokenMs ?? 0 },
    nextRequest: 0,
  }
  for (const name of state.models) loadModel(name)

  const closing = new AbortController()
  const server = createServer((request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    // A write that crosses the caller's leaving is no error of ours.
    response.on('error', () => gone.abort())
    void route(request, response, state, AbortSignal.any([closing.signal, gone.signal]))
  })
  const host = options.host ?? '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new TargonError(
          `The development engine cannot listen on ${host}:${options.port}: ${error.message}.`,
          {
            code: 'ENGINE_PORT',
            fault: 'usage',
            next: 'Choose another port, or 0 for any free one.',
          },
        ),
      ),
    )
    server.listen(options.port, host, resolve)
  })
  const { port } = server.address() as AddressInfo

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise<void>((resolve) => {
      closing.abort()
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closed
  }
  if (deps.signal?.aborted) await close()
  deps.signal?.addEventListener('abort', () => void close(), { once: true })

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    models: state.models,
    get load() {
      return { running: slots.running, waiting: slots.waiting }
    },
    get behaviour() {
      return behaviour
    },
    setBehaviour(name) {
      behaviour = name
      state.behaviour = behaviourOf(name)
    },
    get fault() {
      return state.fault
    },
    setFault(fault) {
      state.fault = fault
    },
    setPace({ tokensPerSecond, timeToFirstTokenMs }) {
      state.pace = { tokensPerSecond, timeToFirstTokenMs: timeToFirstTokenMs ?? 0 }
    },
    close,
  }
}
