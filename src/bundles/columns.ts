import { promisify } from 'node:util'
import { deflateRaw, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import type { ComparedAnswer } from '../evidence/index.js'

/** Tokens of an answer and entries of all its top lists, at most. */
const MAX_TOKENS = 20_000
const MAX_ENTRIES = 25 * MAX_TOKENS

const finite = z.number().finite()

/** An answer beside its reference, as JSON. The numbers are in `data`: base64 of raw deflate of little-endian columns. */
export const packedAnswer = z.object({
  temperature: finite,
  seed: finite.optional(),
  promptTokens: z
    .number()
    .int()
    .min(0)
    .max(1 << 24),
  /** Null where the stated log probabilities cannot be compared. */
  claimedAt: finite.nullable(),
  isCut: z.boolean(),
  vocabularySize: finite,
  tokens: z.number().int().min(0).max(MAX_TOKENS),
  /** Positions of the top lists: one more than tokens as a rule. */
  positions: z
    .number()
    .int()
    .min(0)
    .max(MAX_TOKENS + 1),
  entries: z.number().int().min(0).max(MAX_ENTRIES),
  /** Top log probabilities take 8 bytes instead of 4, because 4 would lose digits. */
  isWide: z.boolean(),
  data: z.string().max(16 << 20),
})

export type PackedAnswer = z.infer<typeof packedAnswer>

const compress = promisify(deflateRaw)

/** Doubles: token ids, stated and reference log probabilities, starts and tails; then top ids in 4 bytes, top log probabilities in 4 or 8. */
export async function packAnswer(answer: ComparedAnswer): Promise<PackedAnswer> {
  const { top, tokenIds, claimed, reference } = answer
  const entries = top.starts.at(-1) ?? 0
  const logprobs = top.logprobs.subarray(0, entries)
  const isWide = logprobs.some((logprob) => Math.fround(logprob) !== logprob)
  const columns = [
    ...[tokenIds, claimed, reference, top.starts, top.tail],
    Uint32Array.from(top.ids.subarray(0, entries)),
    isWide ? Float64Array.from(logprobs) : Float32Array.from(logprobs),
  ]
  const bytes = Buffer.concat(columns.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength)))
  return {
    temperature: answer.temperature,
    ...(answer.seed === undefined ? {} : { seed: answer.seed }),
    promptTokens: answer.promptTokens,
    claimedAt: Number.isNaN(answer.claimedAt) ? null : answer.claimedAt,
    isCut: answer.isCut,
    vocabularySize: top.vocabularySize,
    ...{ tokens: tokenIds.length, positions: top.tail.length, entries, isWide },
    data: (await compress(bytes)).toString('base64'),
  }
}

/** @returns undefined when the data do not have the size that the counts say, or the starts leave the lists */
export function unpackAnswer(packed: PackedAnswer): ComparedAnswer | undefined {
  const { tokens, positions, entries, isWide } = packed
  const doubles = 3 * tokens + 2 * positions + 1
  const size = 8 * doubles + (isWide ? 12 : 8) * entries
  const bytes = inflate(packed.data, size)
  if (!bytes) return undefined
  let at = 0
  const take = (count: number, width: number, read: (offset: number) => number) => {
    const column = Float64Array.from({ length: count }, (_, index) => read(at + index * width))
    at += count * width
    return column
  }
  const double = (count: number) => take(count, 8, (offset) => bytes.readDoubleLE(offset))
  const [tokenIds, claimed, reference] = [double(tokens), double(tokens), double(tokens)]
  const [starts, tail] = [double(positions + 1), double(positions)]
  const ids = take(entries, 4, (offset) => bytes.readUInt32LE(offset))
  const logprobs = isWide ? double(entries) : take(entries, 4, (offset) => bytes.readFloatLE(offset))
  const areOrdered = starts.every(
    (start, index) => start >= (index === 0 ? 0 : (starts[index - 1] ?? 0)) && start <= entries,
  )
  if (!areOrdered) return undefined
  return {
    temperature: packed.temperature,
    seed: packed.seed,
    promptTokens: packed.promptTokens,
    ...{ tokenIds, claimed, reference, isCut: packed.isCut },
    claimedAt: packed.claimedAt ?? Number.NaN,
    top: { starts, ids, logprobs, tail, vocabularySize: packed.vocabularySize },
  }
}

/** Never writes more than the counts of the answer allow, whatever the data would expand to. */
function inflate(data: string, size: number): Buffer | undefined {
  try {
    const bytes = inflateRawSync(Buffer.from(data, 'base64'), { maxOutputLength: Math.max(1, size) })
    return bytes.length === size ? bytes : undefined
  } catch {
    return undefined
  }
}
