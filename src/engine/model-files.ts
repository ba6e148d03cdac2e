import { z } from 'zod'
import { hubError } from './engine-error.js'
import { type HubSource, readHubFile } from './hub-files.js'
import type { SamplingDefaults } from './types.js'

const tokenId = z.number().int().min(0)
const tokenIds = z.union([tokenId.transform((id) => [id]), z.array(tokenId)]).nullish()
const size = z.number().int().min(2).max(10_000_000)

const configSchema = z.object({
  vocab_size: size.optional(),
  eos_token_id: tokenIds,
  text_config: z.object({ vocab_size: size.optional(), eos_token_id: tokenIds }).optional(),
})

const generationSchema = z.object({
  eos_token_id: tokenIds,
  top_p: z.number().positive().max(1).nullish().catch(undefined),
  top_k: z.number().int().positive().nullish().catch(undefined),
  min_p: z.number().positive().max(1).nullish().catch(undefined),
})

const tokenizerSchema = z.object({
  eos_token: z
    .union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)])
    .nullish()
    .catch(undefined),
  added_tokens_decoder: z
    .record(z.string().regex(/^\d{1,9}$/), z.object({ content: z.string(), special: z.boolean().nullish() }))
    .nullish()
    .catch(undefined),
})

export interface FileFacts {
  readonly vocabularySize: number
  readonly eosTokenIds: readonly number[]
  /** top_p, top_k and min_p that current vLLM applies to requests without them. */
  readonly samplingDefaults: SamplingDefaults
  /** Text of the tokenizer's end token. */
  readonly eosToken: string | undefined
  readonly tokenizerEosId: number | undefined
  readonly specialTokenIds: ReadonlySet<number> | undefined
}

/**
 * Reads what no HTTP route of vLLM reports: vocabulary size, end tokens and sampling defaults.
 *
 * @throws TargonError ENGINE_UNAVAILABLE naming what is missing
 */
export async function readModelFiles(
  source: HubSource,
  model: string,
  signal: AbortSignal,
): Promise<FileFacts> {
  const [config, generation, tokenizer] = await Promise.all([
    readHubFile(source, model, 'config.json', signal),
    readHubFile(source, model, 'generation_config.json', signal),
    // The checks do without it, so that an engine does not wait for a hub that is away or a file that is too large.
    readHubFile(source, model, 'tokenizer_config.json', signal).catch(() => {
      signal.throwIfAborted()
      return undefined
    }),
  ])
  const parsed = configSchema.safeParse(config)
  const vocabularySize = parsed.data?.vocab_size ?? parsed.data?.text_config?.vocab_size
  if (!parsed.success || vocabularySize === undefined) {
    throw hubError(`config.json of ${model} is missing or has no vocab_size.`)
  }
  const defaults = generationSchema.safeParse(generation).data
  const eosTokenIds =
    defaults?.eos_token_id ?? parsed.data.eos_token_id ?? parsed.data.text_config?.eos_token_id ?? []
  if (eosTokenIds.length === 0) {
    throw hubError(`Neither generation_config.json nor config.json of ${model} has an eos_token_id.`)
  }
  return {
    vocabularySize,
    eosTokenIds: eosTokenIds.filter((id) => id < vocabularySize),
    samplingDefaults: {
      ...(defaults?.top_p ? { topP: defaults.top_p } : {}),
      ...(defaults?.top_k ? { topK: defaults.top_k } : {}),
      ...(defaults?.min_p ? { minP: defaults.min_p } : {}),
    },
    ...readTokenizer(tokenizer),
  }
}

function readTokenizer(file: unknown): Pick<FileFacts, 'eosToken' | 'tokenizerEosId' | 'specialTokenIds'> {
  const { eos_token, added_tokens_decoder } = tokenizerSchema.safeParse(file).data ?? {}
  const added = Object.entries(added_tokens_decoder ?? {})
  const end = added.find(([, { content }]) => content === eos_token)
  const special = added.filter(([, token]) => token.special).map(([id]) => Number(id))
  return {
    eosToken: eos_token ?? undefined,
    tokenizerEosId: end && Number(end[0]),
    specialTokenIds: special.length > 0 ? new Set(special) : undefined,
  }
}
