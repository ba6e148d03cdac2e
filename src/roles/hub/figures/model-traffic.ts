import { z } from 'zod'
import { putNewest } from '../../../kernel/index.js'
import type { RequestEnd } from '../gateway/index.js'

const spread = z.object({ p50: z.number(), p95: z.number() })

/** Since the hub started: users' requests for one model. Requests for models that no miner serves are left out. */
export const modelTraffic = z.object({
  model: z.string(),
  answered: z.number().int(),
  refused: z.number().int(),
  failed: z.number().int(),
  left: z.number().int(),
  /** Miners that were asked. */
  attempts: z.number().int(),
  /** Miners asked because the one before had failed. */
  failovers: z.number().int(),
  /** Miners asked because the one before was slow. */
  hedges: z.number().int(),
  /** As charged. */
  promptTokens: z.number().int(),
  tokens: z.number().int(),
  /** From the user's request to the first token, of the last 64 answers; null without one. */
  firstTokenMs: spread.nullable(),
  /** From the first token to the last, of the last 64 answers that have several tokens; null without one. */
  tokensPerSecond: spread.nullable(),
})

export type ModelTraffic = z.output<typeof modelTraffic>

/** Models of which requests are counted; the one that was not asked for longest makes room. */
const MAX_MODELS = 256
const KEPT = 64

interface Counted {
  readonly counts: Omit<ModelTraffic, 'model' | 'firstTokenMs' | 'tokensPerSecond'>
  readonly firstTokens: number[]
  readonly speeds: number[]
}

export interface Traffic {
  readonly note: (end: RequestEnd) => void
  /** The model that was asked for last comes last. */
  readonly report: () => ModelTraffic[]
}

/** Miners asked beside the first, by why. */
export function furtherAsked({ attempts, hedges }: Pick<RequestEnd, 'attempts' | 'hedges'>) {
  return { hedges, failovers: Math.max(0, attempts - 1 - hedges) }
}

/** Tokens per second from the first token to the last; undefined when it cannot be told. */
export function speedOf({ outcome, tokens, firstTokenMs, totalMs }: RequestEnd): number | undefined {
  if (outcome !== 'answered' || firstTokenMs === undefined || tokens < 2) return undefined
  const streamedMs = totalMs - firstTokenMs
  return streamedMs > 0 ? ((tokens - 1) / streamedMs) * 1000 : undefined
}

export function createTraffic(): Traffic {
  const models = new Map<string, Counted>()
  const countedOf = (model: string): Counted => {
    const found = models.get(model) ?? { counts: noCounts(), firstTokens: [], speeds: [] }
    putNewest(models, model, found, MAX_MODELS)
    return found
  }
  return {
    note: (end) => {
      if (end.model === undefined) return
      const { counts, firstTokens, speeds } = countedOf(end.model)
      const { failovers, hedges } = furtherAsked(end)
      counts[end.outcome]++
      counts.attempts += end.attempts
      counts.failovers += failovers
      counts.hedges += hedges
      counts.promptTokens += end.promptTokens
      counts.tokens += end.tokens
      keep(firstTokens, end.firstTokenMs)
      keep(speeds, speedOf(end))
    },
    report: () =>
      [...models].map(([model, { counts, firstTokens, speeds }]) => ({
        ...{ model, ...counts },
        ...{ firstTokenMs: spreadOf(firstTokens, 0), tokensPerSecond: spreadOf(speeds, 1) },
      })),
  }
}

function noCounts() {
  return {
    ...{ answered: 0, refused: 0, failed: 0, left: 0 },
    ...{ attempts: 0, failovers: 0, hedges: 0, promptTokens: 0, tokens: 0 },
  }
}

function keep(values: number[], value: number | undefined): void {
  if (value === undefined) return
  values.push(value)
  if (values.length > KEPT) values.shift()
}

function spreadOf(values: readonly number[], digits: number) {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
    return Math.round(value * 10 ** digits) / 10 ** digits
  }
  return { p50: at(0.5), p95: at(0.95) }
}
