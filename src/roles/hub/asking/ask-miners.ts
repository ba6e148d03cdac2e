import type { Clock } from '../../../kernel/index.js'
import type { HubMiner } from '../miners/index.js'
import { MinerFailure } from './miner-failure.js'
import type { Attempt, FailedAttempt } from './types.js'

export interface AskPlan<Piece> {
  /** A miner that was not asked yet; undefined when none is left. */
  readonly choose: (asked: ReadonlySet<string>) => HubMiner | undefined
  readonly open: (miner: HubMiner) => Attempt<Piece>
  /** Miners that were asked already; the new ones are added. */
  readonly asked: Set<string>
  /** Most miners in it. */
  readonly attempts: number
  /** Whether a miner that does not have the route is at fault. */
  readonly isRouteCertain: boolean
  /** Time without a first token after which a second miner is asked; 0: never. */
  readonly hedgeAfterMs: number
  readonly clock: Clock
  /** The user left, or the hub stops. */
  readonly signal: AbortSignal
  readonly onFailed: (failed: FailedAttempt) => void
  /** A further miner is asked because the one before is slow. */
  readonly onHedged?: () => void
}

/** No miner answered: none serves the model now, or all that were asked failed. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  constructor(
    /** Of the last miner; undefined when none could be asked. */
    readonly failure: MinerFailure | undefined,
  ) {
    super(failure?.message ?? 'No miner can be asked now')
  }
}

/** As many miners must say that a request is at fault before the user is told so: one alone may be broken. */
const REFUSALS = 2

/**
 * Asks one miner after the other until one has sent its first token; one that is slow gets a rival. After that nothing is
 * asked again.
 *
 * @returns the attempt of the miner that answers
 * @throws NoAnswer; the reason of the signal
 */
export async function askMiners<Piece>(plan: AskPlan<Piece>): Promise<Attempt<Piece>> {
  const race = new Race(plan)
  try {
    return await race.run()
  } catch (error) {
    race.abortAll()
    throw error
  }
}

type Event<Piece> =
  | { readonly kind: 'started'; readonly attempt: Attempt<Piece> }
  | { readonly kind: 'failed'; readonly attempt: Attempt<Piece>; readonly error: unknown }
  | { readonly kind: 'slow' }

class Race<Piece> {
  readonly #running = new Map<Attempt<Piece>, Promise<Event<Piece>>>()
  readonly #hedging = new AbortController()
  #slow: Promise<Event<Piece>> | undefined
  #refusals = 0
  #last: MinerFailure | undefined

  constructor(private readonly plan: AskPlan<Piece>) {}

  async run(): Promise<Attempt<Piece>> {
    const { signal, hedgeAfterMs, clock } = this.plan
    this.#askNext()
    if (hedgeAfterMs > 0)
      this.#slow = clock.sleep(hedgeAfterMs, this.#hedging.signal).then(
        () => ({ kind: 'slow' as const }),
        () => new Promise<never>(() => {}),
      )
    while (this.#running.size > 0) {
      const event = await Promise.race([
        ...this.#running.values(),
        ...(this.#slow === undefined ? [] : [this.#slow]),
      ])
      signal.throwIfAborted()
      if (event.kind === 'started') return this.#win(event.attempt)
      if (event.kind === 'slow') {
        this.#slow = undefined
        if (this.#askNext()) this.plan.onHedged?.()
      } else this.#lose(event.attempt, event.error)
    }
    throw new NoAnswer(this.#last)
  }

  abortAll(): void {
    this.#hedging.abort()
    for (const attempt of this.#running.keys()) {
      attempt.abort()
      attempt.turn.end({ kind: 'abandoned' })
    }
    this.#running.clear()
  }

  /** @returns whether there was one to ask. */
  #askNext(): boolean {
    const { asked, attempts } = this.plan
    if (asked.size >= attempts) return false
    const miner = this.plan.choose(asked)
    if (miner === undefined) return false
    asked.add(miner.hotkey)
    const attempt = this.plan.open(miner)
    const outcome = attempt.started.then(
      (): Event<Piece> => ({ kind: 'started', attempt }),
      (error: unknown): Event<Piece> => ({ kind: 'failed', attempt, error }),
    )
    this.#running.set(attempt, outcome)
    return true
  }

  #win(attempt: Attempt<Piece>): Attempt<Piece> {
    this.#running.delete(attempt)
    this.abortAll()
    return attempt
  }

  #lose(attempt: Attempt<Piece>, error: unknown): void {
    this.#running.delete(attempt)
    if (!(error instanceof MinerFailure)) {
      attempt.turn.end({ kind: 'abandoned' })
      throw error
    }
    const { miner, startMs } = attempt
    const isAtFault =
      ['failed', 'late'].includes(error.kind) || (error.kind === 'absent' && this.plan.isRouteCertain)
    attempt.turn.end({ kind: isAtFault ? 'failed' : 'abandoned' })
    this.plan.onFailed({ miner, failure: error, totalMs: this.plan.clock.monotonic() - startMs })
    this.#last = error
    if (error.kind === 'refused' && ++this.#refusals >= REFUSALS) throw new NoAnswer(error)
    if (this.#running.size === 0) this.#askNext()
  }
}
