import { z } from 'zod'
import {
  type AnswerSource,
  type ComparedAnswer,
  type EvidenceRules,
  evidenceBookData,
  type NoiseLevels,
  type Observation,
  observationSchema,
  type Standing,
} from '../evidence/index.js'
import type { JudgedAnswer } from '../verification/index.js'
import { packAnswer, packedAnswer } from './columns.js'
import { judgedSchema, packJudged } from './judged.js'

const positive = z.number().finite().positive()
const noise = z.object({ logitScale: positive, residual: positive, unexplained: positive })
const text = z.string().max(200_000)

const request = z.object({
  model: z.string().max(512),
  endpoint: z.enum(['chat', 'completion']),
  temperature: z.number().finite(),
  maxTokens: z.number().int().min(0),
  seed: z.number().finite().optional(),
  mayBeCut: z.literal(true).optional(),
  asksForUsage: z.literal(true).optional(),
  layout: z.number().int().min(0).optional(),
  prompt: text.optional(),
  messages: z
    .array(z.object({ role: z.string().max(20), content: text }))
    .max(100)
    .optional(),
})

/** An answer with what it takes to weigh it again, and what the validator made of it. */
export const keptAnswerSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number().finite(),
  /** As judged: of an answer that was cut off, maxTokens is the number that arrived. */
  request,
  /** `relayed`: a hub reported it. */
  source: z.enum(['own', 'relayed']),
  answer: packedAnswer,
  judged: judgedSchema,
  levels: z.object({ suspicion: noise, enforced: noise }),
  rules: z.object({ threshold: positive, cleanAnswers: positive }),
  /** The evidence before this answer: at most one pair. */
  before: evidenceBookData,
  observation: observationSchema,
  /** The standing after it. */
  after: z.object({
    level: z.enum(['clean', 'suspected', 'barred']),
    suspicion: z.number().finite(),
    enforced: z.number().finite(),
    sentence: z.string().max(2000),
  }),
})

export type KeptAnswer = z.infer<typeof keptAnswerSchema>

export interface WeighedAnswer {
  readonly at: number
  readonly source: AnswerSource
  readonly judged: JudgedAnswer
  readonly compared: ComparedAnswer
  readonly levels: NoiseLevels
  readonly rules: EvidenceRules
  readonly before: KeptAnswer['before']
  readonly observation: Observation
  readonly standing: Standing
}

/** Compresses outside the main thread. */
export async function keepAnswer(weighed: WeighedAnswer): Promise<KeptAnswer> {
  const { at, source, judged, compared, levels, rules, before, observation, standing } = weighed
  const { suspicion, enforced } = levels
  const { level, sentence } = standing
  const { messages, prompt, ...rest } = { messages: undefined, prompt: undefined, ...judged.request }
  return {
    ...{ at, source, rules, before, observation, levels: { suspicion, enforced } },
    request: {
      ...rest,
      ...(messages ? { messages: messages.map(({ role, content }) => ({ role, content })) } : {}),
      ...(prompt === undefined ? {} : { prompt }),
    },
    answer: await packAnswer(compared),
    judged: await packJudged(judged),
    after: { level, sentence, suspicion: standing.suspicion, enforced: standing.enforced },
  }
}
