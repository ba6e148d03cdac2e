import type { Clock } from '../kernel/index.js'
import { engineError, isEngineError } from './engine-error.js'
import type { Replica } from './replica.js'

const LOAD_AGE_MS = 2_000
const ATTEMPTS = 2

/** Several servers of one model: each call goes to the least busy one, and to another when it fails. */
export class ReplicaPool {
  #loadsAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly model: string,
    readonly all: readonly Replica[],
    private readonly clock: Clock,
    /** Learns what a server is and admits it, or throws. */
    private readonly learn: (replica: Replica) => Promise<void>,
  ) {}

  /** @throws TargonError ENGINE_UNAVAILABLE when no server takes the call */
  async call<T>(signal: AbortSignal, work: (replica: Replica) => Promise<T>): Promise<T> {
    this.#refreshLoads(signal)
    const tried: Replica[] = []
    let failure: unknown
    while (tried.length < ATTEMPTS) {
      const replica = this.#leastBusy(tried)
      if (!replica) break
      tried.push(replica)
      try {
        return await replica.call(signal, async (called) => {
          if (called.isDoubtful) await called.learn(this.learn)
          signal.throwIfAborted()
          return await work(called)
        })
      } catch (error) {
        // A refusal is about the request only when the server is known to be the one that was probed.
        const isFinal = isEngineError(error, 'ENGINE_REFUSED') && !replica.isDoubtful
        if (signal.aborted || isFinal) throw error
        failure = error
      }
    }
    throw failure ?? engineError('ENGINE_UNAVAILABLE', this.unavailableReason() ?? 'no server is left to ask')
  }

  /** Prefers servers not tried yet; a single server gets a second try. */
  #leastBusy(tried: readonly Replica[]): Replica | undefined {
    const usable = this.all.filter((replica) => replica.usable)
    const fresh = usable.filter((replica) => !tried.includes(replica))
    return (fresh.length > 0 ? fresh : usable).sort((a, b) => a.load - b.load)[0]
  }

  /** Why no server takes calls; undefined as soon as one does. */
  unavailableReason(): string | undefined {
    if (this.all.some(({ usable }) => usable)) return undefined
    const states = this.all.map(
      ({ url, breaker }) => `${url} ${breaker.allows() ? 'is not ready' : 'failed too often'}`,
    )
    return `No engine of ${this.model} takes calls: ${states.join(', ')}.`
  }

  /** In the background: a call never waits for the gauges, and a server without them counts our own calls. */
  #refreshLoads(signal: AbortSignal): void {
    const now = this.clock.monotonic()
    if (this.all.length < 2 || now - this.#loadsAt < LOAD_AGE_MS) return
    this.#loadsAt = now
    for (const replica of this.all) replica.refreshLoad(signal).catch(() => undefined)
  }
}
