import { createDeferred } from '../../../kernel/index.js'
import type { RoundResult } from '../rounds/index.js'

/** Watches for the proof that a validator works. */
export interface HealthWatch {
  onHead(): void
  onRoundJudged(results: readonly Pick<RoundResult, 'verdict'>[]): void
  /** Resolves once a block has come and a round has ended with a verdict that is not the validator's own fault. */
  readonly healthy: Promise<void>
}

/** The metagraph needs no watching: without it a validator does not start. */
export function watchHealth(): HealthWatch {
  const head = createDeferred<void>()
  const round = createDeferred<void>()
  return {
    onHead: () => head.resolve(),
    onRoundJudged: (results) => {
      if (results.some(({ verdict }) => verdict.kind !== 'inconclusive')) round.resolve()
    },
    healthy: Promise.all([head.promise, round.promise]).then(() => {}),
  }
}
