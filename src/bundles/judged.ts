import { promisify } from 'node:util'
import { deflateRaw, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import type { Answer, OutputToken } from '../inference/index.js'
import { parseJson } from '../kernel/index.js'
import { CAUSES, type JudgedAnswer } from '../verification/index.js'

const MAX_TEXT_BYTES = 4 << 20
const BOUNDS = { depth: 4, values: 100_000 }

const count = z.number().int().min(0)
const id = count.max(2 ** 32)

/** What the verdict on an answer alone depends on, beside the columns that were compared. */
export const judgedSchema = z.object({
  finishReason: z.string().max(1000).optional(),
  facts: z.object({
    vocabularySize: count,
    eosTokenIds: z.array(id).max(1000),
    samplingDefaults: z
      .object({ topP: z.number().optional(), topK: z.number().optional(), minP: z.number().optional() })
      .optional(),
    tokenizerEosId: id.optional(),
    endOfTurnId: id.optional(),
    endpoints: z.array(z.enum(['chat', 'completion'])).max(2),
    maxLogprobs: count,
    dialect: z.enum(['v0', 'v1']),
    scaledLogprobs: z.boolean(),
    maxModelLength: count.optional(),
  }),
  /** Under the rules `strict`, whatever earlier answers showed. */
  verdict: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('verified') }),
    z.object({ kind: z.literal('failed'), cause: z.enum(CAUSES), detail: z.string().max(10_000) }),
  ]),
  /** Base64 of raw deflate of the JSON of `Words`. */
  data: z.string().max(16 << 20),
})

export type JudgedData = z.infer<typeof judgedSchema>

const words = z.object({
  /** Of the whole answer, as it was streamed. */
  text: z.string(),
  /** Of each token. */
  texts: z.array(z.string()),
  /** Tokens whose text is in that of the token before. */
  shared: z.array(count),
  /** Of each token in the engine's distribution. */
  ranks: z.array(z.number().finite()),
})

export type Words = z.infer<typeof words>

const compress = promisify(deflateRaw)

export async function packJudged({ answer, facts, ranks, verdict }: JudgedAnswer): Promise<JudgedData> {
  const { specialTokenIds: _, ...kept } = facts
  const { tokens, text } = answer
  const packed: Words = {
    text,
    texts: tokens.map((token) => token.text),
    shared: tokens.flatMap(({ sharesText }, index) => (sharesText ? [index] : [])),
    ranks: [...ranks],
  }
  const outcome =
    verdict.kind === 'failed'
      ? { kind: verdict.kind, cause: verdict.cause, detail: verdict.detail }
      : { kind: 'verified' as const }
  return {
    ...(answer.finishReason === undefined ? {} : { finishReason: answer.finishReason }),
    facts: { ...kept, eosTokenIds: [...kept.eosTokenIds], endpoints: [...kept.endpoints] },
    verdict: outcome,
    data: (await compress(JSON.stringify(packed))).toString('base64'),
  }
}

/** @returns undefined when the data are malformed, or do not belong to that many tokens */
export function unpackWords({ data }: JudgedData, tokens: number): Words | undefined {
  try {
    const bytes = inflateRawSync(Buffer.from(data, 'base64'), { maxOutputLength: MAX_TEXT_BYTES })
    const { data: unpacked } = words.safeParse(parseJson(bytes.toString('utf8'), BOUNDS))
    return unpacked?.texts.length === tokens && unpacked.ranks.length === tokens ? unpacked : undefined
  } catch {
    return undefined
  }
}

/** The answer as it was judged; when it arrived is not kept. */
export function answerOf(
  { finishReason }: JudgedData,
  { text, texts, shared }: Words,
  { tokenIds, claimed }: { readonly tokenIds: Float64Array; readonly claimed: Float64Array },
): Answer {
  const inChunk = new Set(shared)
  const tokens = texts.map((one, index): OutputToken => {
    const token = { text: one, tokenId: tokenIds[index], logprob: claimed[index] }
    return inChunk.has(index) ? { ...token, sharesText: true } : token
  })
  return {
    ...{ tokens, text, finishReason, status: 200, fault: undefined },
    timing: { timeToFirstTokenMs: 0, timeForAllTokensMs: 0, totalMs: 0 },
    ...{ tokensPerSecond: 0, chunks: tokens.length, lostTokens: false, burstShare: 0 },
  }
}
