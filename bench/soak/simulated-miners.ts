import type { ReferenceEngine } from '../../src/engine/index.js'
import type { Answer, InferenceRequest, OutputToken } from '../../src/inference/index.js'
import type { Clock } from '../../src/kernel/clock.js'
import type { Random } from '../../src/prompts/index.js'
import type { RoundPorts } from '../../src/roles/validator/rounds/round.js'
import { answerOf } from '../../test/roles/validator/rounds/round-parts.js'
import { createRigEngine } from '../../test/roles/validator/validator-rig.js'
import { FACTS } from '../../test/support/answer-comparison.js'
import { simulateAnswer } from '../../test/support/simulated-answer.js'

export const TOKENS = 16
const POOL = 64
const FASTEST_MS = 200
const SLOWEST_MS = 2500
/** Beyond every deadline of a round. */
const FOREVER_MS = 3_600_000
/** Of answers: cut by the server, refused, made up, and never finished. */
const SHARES = { timeout: 0.02, refused: 0.04, made: 0.06, held: 0.07 }

/** Apart enough that no two answers have a token in common: greedy ones would all take the same. */
const SHIFT = 150

const pool = Array.from({ length: POOL }, (_, index) => {
  const { tokens, reference } = simulateAnswer(`soak ${index}`, {
    ...{ temperature: 0, tokens: TOKENS },
    noise: { usual: index % 4 === 0 ? 0.05 : 0 },
  })
  const shifted = <T>(position: ReadonlyMap<number, T>) =>
    new Map([...position].map(([id, facts]) => [id + index * SHIFT, facts]))
  return {
    tokens: tokens.map(({ id, logprob }) => ({ id: id + index * SHIFT, logprob })),
    reference: { positions: reference.positions.map(shifted), next: shifted(reference.next) },
  }
})
const keyOf = (ids: readonly number[]) => ids.join()
const known = new Map(pool.map((one) => [keyOf(one.tokens.map(({ id }) => id)), one]))
const [first] = pool
const textOf = (id: number) => ` w${id}`

/** An engine that knows the answers of the simulated miners and finds all others unlikely. */
export function createSoakEngine(model: string): ReferenceEngine {
  return {
    ...createRigEngine(model),
    facts: { ...FACTS, eosTokenIds: [] },
    detokenize: async (ids) => ids.map(textOf).join(''),
    score: async ({ output }) => known.get(keyOf(output))?.reference ?? unlikely(output),
  }
}

function unlikely(output: readonly number[]) {
  const position = (id: number) => new Map([[id, { logprob: -20, rank: 20_000 }]])
  return { positions: output.map(position), next: position(0) }
}

/** Miners without sockets: most answer well; a few refuse, make tokens up, time out or never finish. */
export class SimulatedMiners {
  /** Answers that still stream. */
  streaming = 0

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  readonly prepare: RoundPorts['prepare'] = (request) => async (signal, onProgress) => {
    const draw = this.random.next()
    const totalMs = draw > SHARES.made && draw < SHARES.held ? FOREVER_MS : this.#pace()
    this.streaming++
    onProgress?.({ tokens: 1, streamedMs: 0 })
    try {
      await this.clock.sleep(totalMs, signal)
    } catch {
      return answerOf({ fault: { cause: 'aborted', detail: 'cut' }, tokensPerSecond: 0 })
    } finally {
      this.streaming--
    }
    return this.#answer(request, draw, totalMs)
  }

  #pace(): number {
    return FASTEST_MS + this.random.next() * (SLOWEST_MS - FASTEST_MS)
  }

  #answer({ maxTokens }: InferenceRequest, draw: number, totalMs: number): Answer {
    const timing = { timeToFirstTokenMs: 50, timeForAllTokensMs: totalMs - 50, totalMs }
    if (draw < SHARES.timeout)
      return answerOf({
        ...{ timing, tokensPerSecond: 0 },
        fault: { cause: 'TIMEOUT', detail: 'not finished', timed: 'deadline' },
      })
    if (draw < SHARES.refused) return answerOf({ timing, tokensPerSecond: 0, status: 503 })
    const one = this.random.pick(pool) ?? first
    const tokens = tokensOf(one, draw < SHARES.made).slice(0, maxTokens)
    return answerOf({
      ...{ tokens, timing, chunks: tokens.length, text: tokens.map(({ text }) => text).join('') },
      tokensPerSecond: (tokens.length / totalMs) * 1000,
    })
  }
}

function tokensOf({ tokens }: (typeof pool)[number], areMadeUp: boolean): OutputToken[] {
  return tokens.map(({ id, logprob }, index) => {
    const tokenId = areMadeUp ? 20_000 + index : id
    return { text: textOf(tokenId), tokenId, logprob }
  })
}
