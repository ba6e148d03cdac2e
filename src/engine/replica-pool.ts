import { type Clock, isDescriptorShortage } from '../kernel/index.js'
import { engineError, isEngineError } from './engine-error.js'
import type { Replica } from './replica.js'

const LOAD_AGE_MS = 2_000
const ATTEMPTS = 2

/** The servers of one model. Each call goes to the least busy one, and to another one if it fails. */
export class ReplicaPool {
  #loadsAtMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly model: string,
    private readonly replicas: readonly Replica[],
    private readonly clock: Clock,
    /** Probes and admits a server, or throws. */
    private readonly identify: (replica: Replica) => Promise<void>,
  ) {}

  /** @throws TargonError ENGINE_UNAVAILABLE when no server accepts calls; otherwise the error of the last attempt */
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
          if (called.needsProbe) await called.identify(this.identify)
          signal.throwIfAborted()
          return await work(called)
        })
      } catch (error) {
        // A refusal is about the request only if the server cannot have been replaced.
        const isFinal = isEngineError(error, 'ENGINE_REFUSED') && !replica.needsProbe
        // Without a file descriptor of our own, no other server can be asked either.
        if (signal.aborted || isFinal || isDescriptorShortage(error)) throw error
        failure = error
      }
    }
    throw failure ?? engineError('ENGINE_UNAVAILABLE', this.unavailableReason() ?? 'no server is left to try')
  }

  /** Prefers servers that were not tried yet; a single server gets a second try. */
  #leastBusy(tried: readonly Replica[]): Replica | undefined {
    const usable = this.replicas.filter((replica) => replica.isUsable)
    const untried = usable.filter((replica) => !tried.includes(replica))
    return (untried.length > 0 ? untried : usable).sort((a, b) => a.load - b.load)[0]
  }

  /** Why no server accepts calls; undefined while one does. */
  unavailableReason(): string | undefined {
    if (this.replicas.some(({ isUsable }) => isUsable)) return undefined
    const states = this.replicas.map(
      ({ url, breaker }) => `${url} ${breaker.allows() ? 'is not ready' : 'failed too often'}`,
    )
    return `No engine of ${this.model} is available: ${states.join(', ')}.`
  }

  /** In the background: calls never wait for the gauges. Without them, only our own calls count. */
  #refreshLoads(signal: AbortSignal): void {
    const nowMs = this.clock.monotonic()
    if (this.replicas.length < 2 || nowMs - this.#loadsAtMs < LOAD_AGE_MS) return
    this.#loadsAtMs = nowMs
    for (const replica of this.replicas) replica.refreshLoad(signal).catch(() => undefined)
  }
}
