import { type Answer, STRICT_BURST_RULE, type StreamLimits } from '../../src/inference/index.js'
import { BEHAVIOURS, type BehaviourName } from '../../src/localnet/engine/index.js'
import type { RuleSet } from '../../src/verification/index.js'
import { requestOf, type VerificationRig } from './verification-rig.js'

/** One cell of the table: the verdict on a miner with this behaviour. */
export interface Cell {
  readonly behaviour: BehaviourName
  readonly temperature: number
  readonly endpoint: 'chat' | 'completion'
  readonly rules: RuleSet
}

/** Short deadlines for stalling miners, in the same proportions as the real ones. */
const LIMITS: Partial<Record<BehaviourName, Partial<StreamLimits>>> = {
  stall: { gapMs: 400 },
  drip: { totalMs: 1_500 },
  silent: { firstTokenMs: 400 },
}

/** Streams without tokens end at limits of their own; on a busy machine, the deadlines for tokens must not end them first. */
const PATIENT: Partial<StreamLimits> = { firstTokenMs: 120_000, gapMs: 120_000 }

const ANSWER_TOKENS: Partial<Record<BehaviourName, number>> = {
  slow: 8,
  'skips-eos': 512,
  'ignores-temperature': 512,
}
/** Paced where arrival times decide: a burst must stay short compared with the wait before it, also on a busy machine. */
const TOKENS_PER_SECOND: Partial<Record<BehaviourName, number>> = { honest: 200, 'generate-first': 60 }

/** Judged by arrival times, so it must run alone. */
export function isTimed({ behaviour }: Cell): boolean {
  return TOKENS_PER_SECOND[behaviour] !== undefined
}

export const TEMPERATURES = [0.2, 0.7, 1] as const
export const ENDPOINTS = ['chat', 'completion'] as const
export const RULES = ['strict', 'targon-4'] as const

export function allCells(): Cell[] {
  return BEHAVIOURS.flatMap((behaviour) =>
    RULES.flatMap((rules) =>
      TEMPERATURES.flatMap((temperature) =>
        ENDPOINTS.map((endpoint) => ({ behaviour, temperature, endpoint, rules })),
      ),
    ),
  )
}

/** `verified`, `inconclusive` or the cause for one answer of a real server. */
export async function judgeCell(rig: VerificationRig, { behaviour, temperature, endpoint, rules }: Cell) {
  const tokensPerSecond = TOKENS_PER_SECOND[behaviour]
  const limits = LIMITS[behaviour] ?? PATIENT
  const miner = await rig.startMiner({ behaviour, ...(tokensPerSecond ? { tokensPerSecond } : {}) })
  try {
    const maxTokens = ANSWER_TOKENS[behaviour] ?? 96
    const change = { temperature, endpoint, maxTokens }
    const request =
      behaviour === 'skips-eos'
        ? await endingRequest(rig, change)
        : await requestOf(`matrix ${endpoint}`, change)
    const answer = await rig.ask(miner.url, request, {
      rules,
      burst: tokensPerSecond === undefined ? null : STRICT_BURST_RULE,
      limits,
    })
    const verdict = await rig.verify(request, answer, rules)
    return verdict.kind === 'failed' ? verdict.cause : verdict.kind
  } finally {
    await miner.close()
  }
}

type Change = Parameters<typeof requestOf>[1]
type Request = Awaited<ReturnType<typeof requestOf>>

/** Shared by the rule sets, because finding one takes many answers. */
const endings = new Map<string, Promise<Request>>()

/**
 * A request whose skipping answer passes over so many likely ends that hardly any honest answer would: one in 10⁹, well below
 * the bound of the rules.
 */
function endingRequest(rig: VerificationRig, change: Change): Promise<Request> {
  const key = JSON.stringify(change)
  const found = endings.get(key) ?? findEnding(rig, change)
  endings.set(key, found)
  return found
}

async function findEnding(rig: VerificationRig, change: Change): Promise<Request> {
  const skipping = await rig.startMiner({ behaviour: 'skips-eos' })
  try {
    for (let index = 0; ; index++) {
      const request = await requestOf(`ending ${index}`, change)
      const answer = await rig.ask(skipping.url, request)
      if (!answer.fault && (await logContinuing(rig, request, answer)) < Math.log(1e-9)) return request
    }
  } finally {
    await skipping.close()
  }
}

/** Log of the probability that sampling passes over all ends of this answer, by the reference's 20 likeliest tokens. */
async function logContinuing(rig: VerificationRig, request: Request, answer: Answer): Promise<number> {
  const { engine } = rig
  const signal = AbortSignal.timeout(60_000)
  const input =
    request.endpoint === 'chat'
      ? await engine.tokenizeChat(request.messages, signal)
      : await engine.tokenizeText(request.prompt, signal)
  const output = answer.tokens.map(({ tokenId }) => tokenId ?? 0)
  const { temperature } = request
  const { positions } = await engine.score({ input, output, temperature, topK: 20 }, signal)
  const ends = new Set([...(engine.facts?.eosTokenIds ?? []), engine.facts?.endOfTurnId])
  return positions.reduce((sum, position) => {
    const powers = [...position].map(([id, { logprob }]) => ({ id, power: Math.exp(logprob / temperature) }))
    const total = powers.reduce((all, { power }) => all + power, 0)
    const end = powers.filter(({ id }) => ends.has(id)).reduce((all, { power }) => all + power, 0)
    return sum + Math.log1p(-Math.min(end / total, 1 - 1e-9))
  }, 0)
}

/** One line per behaviour and rule set, one column per temperature and endpoint. */
export function printMatrix(verdicts: ReadonlyMap<Cell, string>): string {
  const columns = TEMPERATURES.flatMap((temperature) =>
    ENDPOINTS.map((endpoint) => ({ temperature, endpoint })),
  )
  const rows = BEHAVIOURS.flatMap((behaviour) =>
    RULES.map((rules) => {
      const cells = [...verdicts].filter(([cell]) => cell.behaviour === behaviour && cell.rules === rules)
      const texts = columns.map(
        ({ temperature, endpoint }) =>
          cells.find(([cell]) => cell.temperature === temperature && cell.endpoint === endpoint)?.[1] ?? '',
      )
      return [behaviour, rules, ...texts]
    }),
  )
  const head = [
    'behaviour',
    'rules',
    ...columns.map(({ temperature, endpoint }) => `T=${temperature} ${endpoint}`),
  ]
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}
