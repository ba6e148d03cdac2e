import { z } from 'zod'
import { type Clock, createDeferred, parseJson, withDeadline } from '../kernel/index.js'
import {
  chainArguments,
  engineArguments,
  minerArguments,
  type NetworkPlaces,
  validatorArguments,
} from './arguments.js'
import { CAST, type CastMember, LOCALNET_MODELS } from './cast.js'
import { furnishFolder } from './folders.js'
import { Child, type SelfCommand } from './processes.js'

export interface NetworkOptions {
  readonly self: SelfCommand
  /** Environment of the children: search path and home, none of our own variables. */
  readonly env: Readonly<Record<string, string>>
  readonly folder: string
  readonly seed: string
  readonly blockTimeMs: number
  readonly epochBlocks: number
  readonly chainPort: number
  /** A role the caller runs itself: the validator, or the first miner of the cast. */
  readonly without?: 'miner' | 'validator'
}

export interface NetworkDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Progress for people, one line each. */
  readonly onProgress: (line: string) => void
  /** Log lines of the children. */
  readonly onLog?: (name: string, line: string) => void
}

const START_TIMEOUT_MS = 120_000
const STOP_GRACE_MS = 8_000

const announcement = z.union([
  z.object({ kind: z.literal('chain'), url: z.string() }),
  z.object({ kind: z.literal('engine'), url: z.string(), behaviour: z.string() }),
])
const logLine = z.object({ event: z.string().optional(), url: z.string().optional() })

/** A running subnet made of child processes. */
export class Network {
  readonly #options: NetworkOptions
  readonly #deps: NetworkDeps
  readonly #children: Child[] = []
  readonly #death = createDeferred<never>()
  #places: NetworkPlaces | undefined
  #engineUrls: readonly string[] = []
  #validatorUrl: string | undefined

  private constructor(options: NetworkOptions, deps: NetworkDeps) {
    this.#options = options
    this.#deps = deps
    this.#death.promise.catch(() => {})
  }

  /**
   * Starts chain and engines, then miners, then the validator; resolves when all of them serve.
   *
   * @throws TargonError LOCALNET_PROCESS_DIED, or DEADLINE naming what did not come up.
   */
  static async start(options: NetworkOptions, deps: NetworkDeps): Promise<Network> {
    const network = new Network(options, deps)
    try {
      await network.#start()
      return network
    } catch (error) {
      await network.stop()
      throw error
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

  /** Rejects when a process dies that should live. */
  get death(): Promise<never> {
    return this.#death.promise
  }

  engineUrlOf(member: CastMember): string {
    const url = this.#engineUrls[CAST.indexOf(member)]
    if (!url) throw new Error(`no engine for ${member.name}`)
    return url
  }

  /** Ends every child, newest first, and waits until all are gone. */
  async stop(): Promise<void> {
    const children = [...this.#children].reverse()
    await Promise.all(children.map((child) => child.stop(this.#deps.clock, STOP_GRACE_MS)))
  }

  async #start(): Promise<void> {
    const { folder, seed, blockTimeMs, epochBlocks, chainPort, without } = this.#options
    await furnishFolder(folder, seed)
    const reference = `honest=${LOCALNET_MODELS.join(',')}`
    const [chain, engines, references] = await Promise.all([
      this.#startAnnounced(
        'chain',
        chainArguments({ folder, port: chainPort, seed, blockTimeMs, epochBlocks }),
        1,
      ),
      this.#startAnnounced('engines', engineArguments(folder, CAST.map(specificationOf)), CAST.length),
      this.#startAnnounced('reference-engine', engineArguments(folder, [reference]), 1),
    ])
    this.#places = { folder, chainUrl: chain[0] ?? '', referenceUrl: references[0] ?? '' }
    this.#engineUrls = engines
    this.#deps.onProgress(`chain at ${this.places.chainUrl}, ${CAST.length + 1} engines up`)

    const members = CAST.filter((_, index) => !(without === 'miner' && index === 0))
    await Promise.all(
      members.map((member) =>
        this.#startRole(
          member.name,
          minerArguments(this.places, member, this.engineUrlOf(member)),
          'miner-listening',
        ),
      ),
    )
    this.#deps.onProgress(`${members.length} miners up`)

    if (without === 'validator') return
    const started = await this.#startRole(
      'validator',
      validatorArguments(this.places, { seed, epochBlocks }),
      'status-server-listening',
    )
    this.#validatorUrl = started.url
    this.#deps.onProgress('validator up')
  }

  /** Starts a part that prints one JSON line per endpoint on stdout; resolves with their URLs in order. */
  async #startAnnounced(name: string, args: readonly string[], count: number): Promise<string[]> {
    const urls: string[] = []
    const complete = createDeferred<string[]>()
    this.#spawn(name, args, {
      onStdout: (line) => {
        const parsed = announcement.safeParse(parseJson(line))
        if (!parsed.success) return
        urls.push(parsed.data.url)
        if (urls.length === count) complete.resolve(urls)
      },
    })
    return await this.#awaitStart(name, complete.promise)
  }

  /** Starts a role; resolves with the log line of the event that says it serves. */
  async #startRole(name: string, args: readonly string[], event: string): Promise<z.output<typeof logLine>> {
    const seen = createDeferred<z.output<typeof logLine>>()
    this.#spawn(name, args, {
      onStderr: (line) => {
        this.#deps.onLog?.(name, line)
        const parsed = logLine.safeParse(parseJson(line))
        if (parsed.success && parsed.data.event === event) seen.resolve(parsed.data)
      },
    })
    return await this.#awaitStart(name, seen.promise)
  }

  async #awaitStart<T>(name: string, up: Promise<T>): Promise<T> {
    return await withDeadline(
      this.#deps.clock,
      `The start of ${name}`,
      START_TIMEOUT_MS,
      this.#deps.signal,
      () => Promise.race([up, this.#death.promise]),
    )
  }

  #spawn(
    name: string,
    args: readonly string[],
    lines: { onStdout?: (line: string) => void; onStderr?: (line: string) => void },
  ): void {
    const child = new Child(this.#options.self, {
      name,
      args,
      cwd: this.#options.folder,
      env: this.#options.env,
      ...lines,
    })
    this.#children.push(child)
    void child.exited.then((exit) => {
      if (!child.stopping) this.#death.reject(child.deathError(exit))
    })
  }
}

/** The text `--engine.serve` takes for a member of the cast. */
export function specificationOf(member: CastMember): string {
  return `${member.behaviour}@${member.tokensPerSecond}=${member.models.join(',')}`
}
