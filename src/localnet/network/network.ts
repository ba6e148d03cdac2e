import { z } from 'zod'
import { type Clock, createDeferred, every, parseJson, withDeadline } from '../../kernel/index.js'
import {
  chainArguments,
  engineArguments,
  hubArguments,
  hubKeyArguments,
  minerArguments,
  type NetworkPlaces,
  validatorArguments,
} from './arguments.js'
import { type CastMember, castWith, cheatsWith, hotkeyNames, LOCALNET_MODELS } from './cast.js'
import { Child, type ChildOptions, type SelfCommand } from './child.js'
import { seedFolder } from './folders.js'
import { createUserKey, readHubUrl } from './hub-access.js'
import { describeWaiting } from './waiting.js'

export interface NetworkOptions {
  readonly self: SelfCommand
  /** Environment of the child processes: PATH and HOME, but none of Targon's variables. */
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly chainPort: number
  /** Behaviours of further miners. */
  readonly cheats: readonly string[]
  /** Which of the cast's miners run, by name; empty: all. */
  readonly miners: readonly string[]
  /** Whether a hub runs too. */
  readonly hub: boolean
  /** The role the caller runs itself: the validator, the hub, or the first miner of the cast. */
  readonly without?: 'miner' | 'validator' | 'hub'
  /** Port at which the caller runs the hub. */
  readonly hubPort?: number
}

export interface NetworkDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Progress for people, one line at a time. */
  readonly onProgress: (line: string) => void
  /** What the start waits for, every second; undefined: `onProgress` gets it every ten seconds. */
  readonly onWaiting?: ((line: string) => void) | undefined
}

const START_TIMEOUT_MS = 120_000
const STOP_GRACE_MS = 8_000
const WAITING_MS = 1_000
const SELDOM_WAITING_MS = 10_000

const REFERENCE_ENGINE = {
  behaviour: 'honest',
  tokensPerSecond: undefined,
  models: LOCALNET_MODELS,
} as const

/** The fields of a PartEndpoint that are read here. */
const endpoint = z.object({ kind: z.enum(['chain', 'engine']), url: z.string() })
/** What a role sends over IPC before `ready`. */
const serving = z.object({ statusUrl: z.string() })

/** What a user of the hub needs. */
export interface HubAccess {
  /** Base URL of its API, without `/v1`. */
  readonly url: string
  readonly apiKey: string
}

export interface RunningHub extends HubAccess {
  readonly statusUrl: string
}

/** A running subnet of child processes. */
export class Network {
  readonly #options: NetworkOptions
  readonly #deps: NetworkDeps
  /** The miners, in the order of their uids from 1 on. */
  readonly cast: readonly CastMember[]
  readonly #children: Child[] = []
  /** Names of the processes that are starting. */
  readonly #starting = new Set<string>()
  readonly #death = createDeferred<never>()
  #places: NetworkPlaces | undefined
  #engineUrls: readonly string[] = []
  #validatorUrl: string | undefined
  #hub: RunningHub | undefined
  #hubAccess: HubAccess | undefined
  /** Base URLs of the miners' status servers, by name. */
  readonly #minerUrls = new Map<string, string>()

  private constructor(options: NetworkOptions, deps: NetworkDeps) {
    this.#options = options
    this.#deps = deps
    this.cast = castWith(cheatsWith(options.cheats, options.hub), options.miners)
    this.#death.promise.catch(() => {})
  }

  /**
   * Starts chain and engines, then the miners, then the validator; resolves when all of them serve.
   *
   * @throws TargonError LOCALNET_PROCESS_DIED, or DEADLINE naming the process that did not start in time.
   */
  static async start(options: NetworkOptions, deps: NetworkDeps): Promise<Network> {
    const network = new Network(options, deps)
    const started = new AbortController()
    void network.#showWaiting(started.signal)
    try {
      await network.#start()
      return network
    } catch (error) {
      await network.stop()
      throw error
    } finally {
      started.abort()
    }
  }

  get places(): NetworkPlaces {
    if (!this.#places) throw new Error('the network has not started')
    return this.#places
  }

  /** Base URL of the validator's status server; undefined when the caller runs the validator. */
  get validatorUrl(): string | undefined {
    return this.#validatorUrl
  }

  /** Base URL of a miner's status server; undefined before it serves. */
  minerUrlOf(name: string): string | undefined {
    return this.#minerUrls.get(name)
  }

  /** Undefined without a hub, or when the caller runs it. */
  get hub(): RunningHub | undefined {
    return this.#hub
  }

  /** Undefined without a hub. */
  get hubAccess(): HubAccess | undefined {
    return this.#hubAccess
  }

  /** Rejects when a process dies before `stop`. */
  get death(): Promise<never> {
    return this.#death.promise
  }

  engineUrlOf(member: CastMember): string {
    const url = this.#engineUrls[this.cast.indexOf(member)]
    if (!url) throw new Error(`no engine for ${member.name}`)
    return url
  }

  /** Stops every child, newest first; resolves when all have exited. */
  async stop(): Promise<void> {
    const children = [...this.#children].reverse()
    await Promise.all(children.map((child) => child.stop(this.#deps.clock, STOP_GRACE_MS)))
  }

  async #start(): Promise<void> {
    const { folder, seed, epochBlocks, chainPort, hub, without } = this.#options
    await seedFolder(folder, seed, hotkeyNames(this.cast, hub))
    const [chain, engines, references] = await Promise.all([
      this.#startPart('chain', chainArguments({ ...this.#options, port: chainPort }), 1),
      this.#startPart('engines', engineArguments(folder, this.cast), this.cast.length),
      this.#startPart('reference-engine', engineArguments(folder, [REFERENCE_ENGINE]), 1),
    ])
    this.#places = { folder, chainUrl: chain[0] ?? '', referenceUrl: references[0] ?? '' }
    this.#engineUrls = engines
    this.#deps.onProgress(`chain ready at ${this.places.chainUrl}, ${this.cast.length + 1} engines ready`)

    const members = this.cast.filter((_, index) => !(without === 'miner' && index === 0))
    await Promise.all(
      members.map(async (member) => {
        const args = minerArguments(this.places, member, this.engineUrlOf(member))
        const url = await this.#startRole(member.name, args)
        if (url !== undefined) this.#minerUrls.set(member.name, url)
      }),
    )
    this.#deps.onProgress(`${members.length} miners ready`)

    if (hub) this.#hubAccess = await this.#openHub(seed)

    if (without === 'validator') return
    const plan = { seed, epochBlocks, hubUrl: this.#hubAccess?.url }
    this.#validatorUrl = await this.#startRole('validator', validatorArguments(this.places, plan))
    this.#deps.onProgress('validator ready')
  }

  /** The key is created first, so that both commands open the database of a hub that does not exist yet. */
  async #openHub(seed: string): Promise<HubAccess> {
    const { self, folder, env, without, hubPort } = this.#options
    const options = { self, env, cwd: folder, signal: this.#deps.signal }
    const apiKey = await createUserKey(hubKeyArguments(this.places), options)
    if (without === 'hub') return { url: `http://127.0.0.1:${hubPort}`, apiKey }
    const statusUrl = await this.#startRole('hub', hubArguments(this.places, seed))
    if (statusUrl === undefined) throw new Error('the hub did not report its status server')
    const url = await readHubUrl(statusUrl, this.#deps)
    this.#deps.onProgress(`hub ready at ${url}`)
    this.#hub = { url, statusUrl, apiKey }
    return this.#hub
  }

  async #showWaiting(signal: AbortSignal): Promise<void> {
    const { clock, onProgress, onWaiting = onProgress } = this.#deps
    const from = clock.monotonic()
    const show = async () => onWaiting(describeWaiting([...this.#starting], clock.monotonic() - from))
    const intervalMs = onWaiting === onProgress ? SELDOM_WAITING_MS : WAITING_MS
    await every(clock, intervalMs, AbortSignal.any([signal, this.#deps.signal]), show, () => {})
  }

  /** Starts a part that prints one JSON line per endpoint on stdout; resolves with the URLs in that order. */
  async #startPart(name: string, args: readonly string[], count: number): Promise<string[]> {
    const urls: string[] = []
    const complete = createDeferred<string[]>()
    this.#spawn(name, args, {
      onStdout: (line) => {
        const parsed = endpoint.safeParse(parseJson(line))
        if (!parsed.success) return
        urls.push(parsed.data.url)
        if (urls.length === count) complete.resolve(urls)
      },
    })
    return await this.#awaitStart(name, complete.promise)
  }

  /** Starts a role and waits for its `ready`, as pm2 does; resolves with the URL of its status server. */
  async #startRole(name: string, args: readonly string[]): Promise<string | undefined> {
    let statusUrl: string | undefined
    const ready = createDeferred<void>()
    this.#spawn(name, args, {
      onMessage: (message) => {
        if (message === 'ready') ready.resolve()
        else statusUrl = serving.safeParse(message).data?.statusUrl ?? statusUrl
      },
    })
    await this.#awaitStart(name, ready.promise)
    return statusUrl
  }

  async #awaitStart<T>(name: string, up: Promise<T>): Promise<T> {
    const { clock, signal } = this.#deps
    this.#starting.add(name)
    try {
      return await withDeadline(clock, `The start of ${name}`, START_TIMEOUT_MS, signal, () =>
        Promise.race([up, this.#death.promise]),
      )
    } finally {
      this.#starting.delete(name)
    }
  }

  #spawn(
    name: string,
    args: readonly string[],
    handlers: Pick<ChildOptions, 'onStdout' | 'onMessage'>,
  ): void {
    const child = new Child(this.#options.self, {
      name,
      args,
      cwd: this.#options.folder,
      env: this.#options.env,
      ...handlers,
    })
    this.#children.push(child)
    void child.exited.then((exit) => {
      if (!child.stopping) this.#death.reject(child.deathError(exit))
    })
  }
}
