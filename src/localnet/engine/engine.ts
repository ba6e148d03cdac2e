import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TargonError } from '../../kernel/index.js'
import { type BehaviourName, behaviourOf, behaviourOfCheat, type EngineFault } from './behaviour/index.js'
import { type EngineState, makeMetrics, route, Slots } from './http/index.js'
import { loadModel, loadTokenizer } from './language/index.js'
import type { DevelopmentEngineDeps, DevelopmentEngineOptions } from './options.js'

export interface DevelopmentEngine {
  /** Base URL without a path, such as `http://127.0.0.1:40000`; clients append `/v1`. Also the hub of its own models. */
  readonly url: string
  readonly port: number
  readonly models: readonly string[]
  /** Requests being answered, and requests waiting for a slot. */
  readonly load: { readonly running: number; readonly waiting: number }
  readonly behaviour: BehaviourName
  /** Takes effect with the next request. */
  setBehaviour(name: BehaviourName): void
  /** Undefined: none. `out-of-memory`, or in `v0` a bad token id, turns it into `dead`. */
  readonly fault: EngineFault | undefined
  /** Takes effect with the next request; undefined repairs the engine. */
  setFault(fault: EngineFault | undefined): void
  /** Changes the speed of answers that start from now on. */
  setPace(pace: { readonly tokensPerSecond?: number; readonly timeToFirstTokenMs?: number }): void
  /** Drops requests in flight and frees the port. */
  close(): Promise<void>
}

/**
 * Starts a development engine; resolves when its models are trained and it listens.
 *
 * @throws TargonError ENGINE_NO_MODELS, ENGINE_PORT
 */
export async function startDevelopmentEngine(
  options: DevelopmentEngineOptions,
  { clock, signal }: DevelopmentEngineDeps,
): Promise<DevelopmentEngine> {
  if (options.models.length === 0) {
    throw new TargonError('A development engine needs at least one model name.', {
      code: 'ENGINE_NO_MODELS',
      fault: 'usage',
      next: 'Give a model name, for example targon-dev/small-a.',
    })
  }
  const { behaviour = 'honest', host = '127.0.0.1', port } = options
  const state = createState(options, clock)
  for (const name of state.models) loadModel(name)
  const closing = new AbortController()
  const server = createServer((request, response) => {
    const clientLeft = new AbortController()
    response.once('close', () => clientLeft.abort())
    // a write after the client has left fails; that is not an error of the engine
    response.on('error', () => clientLeft.abort())
    void route(request, response, state, AbortSignal.any([closing.signal, clientLeft.signal]))
  })
  await listen(server, port, host)
  const engine = new RunningEngine(state, behaviour, host, server, closing)
  if (signal?.aborted) await engine.close()
  signal?.addEventListener('abort', () => void engine.close(), { once: true })
  return engine
}

function createState(options: DevelopmentEngineOptions, clock: DevelopmentEngineDeps['clock']): EngineState {
  const { dialect = 'v1', models, timeToFirstTokenMs = 0, tokensPerSecond } = options
  const slots = new Slots(options.maxConcurrentSequences ?? 256)
  return {
    clock,
    tokenizer: loadTokenizer(),
    models: [...new Set(models)],
    dialect,
    logprobsMode: options.logprobsMode ?? (dialect === 'v0' ? 'processed' : 'raw'),
    sampler: options.sampler ?? (dialect === 'v0' ? 'generator' : 'murmur3'),
    numericNoise: options.numericNoise ?? {},
    apiKey: options.apiKey,
    maxModelLen: options.maxModelLen ?? 8192,
    maxLogprobs: options.maxLogprobs ?? 20,
    returnTokensAsTokenIds: options.returnTokensAsTokenIds ?? false,
    tokensPerChunk: options.tokensPerChunk ?? 1,
    reasoningParser: options.reasoningParser ?? false,
    templateDate: options.templateDate ?? false,
    samplingDefaults: options.samplingDefaults ?? {},
    sendLagMs: options.sendLagMs,
    startedAtSeconds: Math.floor(clock.now() / 1000),
    metrics: makeMetrics(dialect, models, slots),
    slots,
    startedAtMs: clock.monotonic(),
    behaviour: {
      ...behaviourOf(options.behaviour ?? 'honest'),
      ...(options.cheat && behaviourOfCheat(options.cheat)),
    },
    fault: options.fault,
    readyAtMs: clock.monotonic() + (options.readyAfterMs ?? 0),
    pace: { tokensPerSecond, timeToFirstTokenMs },
    nextRequest: 0,
  }
}

/** @throws TargonError ENGINE_PORT */
async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(
        new TargonError(`The development engine cannot listen on ${host}:${port}: ${message}.`, {
          code: 'ENGINE_PORT',
          fault: 'usage',
          next: 'Choose another port, or 0 for a free one.',
        }),
      ),
    )
    server.listen(port, host, resolve)
  })
}

class RunningEngine implements DevelopmentEngine {
  readonly url: string
  readonly port: number
  readonly models: readonly string[]
  readonly #state: EngineState
  #behaviour: BehaviourName
  readonly #server: Server
  readonly #closing: AbortController
  #closed: Promise<void> | undefined

  constructor(
    state: EngineState,
    behaviour: BehaviourName,
    host: string,
    server: Server,
    closing: AbortController,
  ) {
    this.#state = state
    this.#behaviour = behaviour
    this.#server = server
    this.#closing = closing
    this.port = (server.address() as AddressInfo).port
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`
    this.models = state.models
  }

  get load() {
    const { running, waiting } = this.#state.slots
    return { running, waiting }
  }

  get behaviour(): BehaviourName {
    return this.#behaviour
  }

  setBehaviour(name: BehaviourName): void {
    this.#behaviour = name
    this.#state.behaviour = behaviourOf(name)
  }

  get fault(): EngineFault | undefined {
    return this.#state.fault
  }

  setFault(fault: EngineFault | undefined): void {
    this.#state.fault = fault
  }

  setPace({ tokensPerSecond, timeToFirstTokenMs = 0 }: Parameters<DevelopmentEngine['setPace']>[0]): void {
    this.#state.pace = { tokensPerSecond, timeToFirstTokenMs }
  }

  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#closing.abort()
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
    return this.#closed
  }
}
