import type { ReferenceEngine } from '../../../engine/index.js'
import type { Clock } from '../../../kernel/index.js'
import { isReady } from '../rounds/index.js'
import type { SubnetView } from '../subnet/index.js'

/** Blocks come every 12 s; ten of them missing is an outage of the chain, or of the way to it. */
const HEAD_TIMEOUT_MS = 120_000

export interface ReadinessFacts {
  readonly clock: Clock
  readonly view: SubnetView
  readonly engines: () => readonly ReferenceEngine[]
  readonly isDraining: () => boolean
  /** Why scores are not saved, if they are not. */
  readonly scoresTrouble: () => string | undefined
}

export interface Readiness {
  onHead(): void
  /** Undefined when the validator can do its work, else what is missing first. */
  whyNot(): string | undefined
}

/** What `/readyz` says. */
export function createReadiness({ clock, view, engines, ...facts }: ReadinessFacts): Readiness {
  let headAt = clock.monotonic()
  return {
    onHead: () => {
      headAt = clock.monotonic()
    },
    whyNot: () => {
      if (facts.isDraining()) return 'draining'
      const ageMs = clock.monotonic() - headAt
      if (ageMs > HEAD_TIMEOUT_MS) return `no new block for ${Math.round(ageMs / 1000)} s`
      const hasEngine = engines().some((engine) => isReady(engine) && view.wanted.includes(engine.model))
      return hasEngine ? facts.scoresTrouble() : 'no reference engine is ready for a wanted model'
    },
  }
}
