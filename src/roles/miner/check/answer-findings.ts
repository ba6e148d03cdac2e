import type { ModelFacts } from '../../../engine/index.js'
import type { ComparedAnswer } from '../../../evidence/index.js'
import { DEFAULT_LIMITS } from '../../../inference/index.js'
import { defaultCut, isCutting } from '../../../verification/index.js'
import { followsCut } from './cuts.js'
import type { Sample } from './samples.js'
import { medianOf } from './summary.js'
import type { Finding } from './types.js'

/** Share of the tokens in chunks with others that is worth a look: under load every server merges some. */
const MERGED_SHARE = 0.2
/** Users may ask for this many. */
const USUAL_LOGPROBS = 20

/** Several tokens in one chunk, as 4.4.1 does not read them. */
export function mergedFinding(samples: readonly Sample[]): Finding[] {
  const tokens = sumOf(samples, ({ answer }) => answer.tokens.length)
  const merged = tokens - sumOf(samples, ({ answer }) => Math.min(answer.chunks, answer.tokens.length))
  if (tokens === 0 || merged < MERGED_SHARE * tokens) return []
  const share = Math.round((100 * merged) / tokens)
  return [
    {
      code: 'chunks-merged',
      weight: 'warns',
      seen: `${share} % of the tokens come in one chunk with the token before; validators of 4.4.1 lose them.`,
      fix: 'Start the server with --stream-interval 1, without speculative decoding, and with enough CPU cores for its API server.',
    },
  ]
}

/** Log probabilities after temperature and cuts instead of the model's own. */
export function processedFinding(samples: readonly Sample[], ownFacts: ModelFacts | undefined): Finding[] {
  // Of another model, values at either temperature are wrong.
  const informative = samples.flatMap(({ compared, verdict }) =>
    verdict.kind === 'verified' &&
    compared &&
    !compared.isCut &&
    compared.temperature > 0 &&
    compared.temperature !== 1
      ? compared
      : [],
  )
  const scaled = informative.filter(({ claimedAt }) => claimedAt !== 1).length
  if (!ownFacts?.scaledLogprobs && (scaled === 0 || scaled < informative.length / 2)) return []
  return [
    {
      code: 'logprobs-processed',
      weight: 'warns',
      seen: 'The server states log probabilities after temperature and cuts; validators compare them less exactly, and older ones fail such answers.',
      fix: 'Start the server with --logprobs-mode raw_logprobs; vLLM before 0.10 needs an update.',
    },
  ]
}

export function logprobsLimitFinding(ownFacts: ModelFacts | undefined): Finding[] {
  if (ownFacts === undefined || ownFacts.maxLogprobs >= USUAL_LOGPROBS) return []
  return [
    {
      code: 'logprobs-limit',
      weight: 'warns',
      seen: `The server returns at most ${ownFacts.maxLogprobs} log probabilities per token; it refuses requests for more.`,
      fix: `Start the server with --max-logprobs ${USUAL_LOGPROBS}.`,
    },
  ]
}

/** @param open answers to requests that leave the cuts to the server */
export function generationConfigFinding(open: readonly Sample[], facts: ModelFacts): Finding[] {
  const cut = defaultCut(facts)
  const answers = open.flatMap(({ compared }): ComparedAnswer[] => (compared ? [compared] : []))
  if (!isCutting(cut) || !followsCut(answers, cut)) return []
  const { topP, topK, minP } = facts.samplingDefaults ?? {}
  const named = [topP && `top_p ${topP}`, topK && `top_k ${topK}`, minP && `min_p ${minP}`].filter(Boolean)
  return [
    {
      code: 'generation-config',
      weight: 'warns',
      seen: `The server applies generation_config.json (${named.join(', ')}) to requests that state none of these; validators of 4.4.1 send such requests.`,
      fix: 'Start the server with --generation-config vllm.',
    },
  ]
}

export function templateDateFinding(inserts: boolean): Finding[] {
  if (!inserts) return []
  return [
    {
      code: 'template-date',
      weight: 'notes',
      seen: 'The chat template writes the server’s date into every prompt: in another time zone the server answers another prompt for some hours a day.',
      fix: 'Start the server with TZ=UTC in its environment.',
    },
  ]
}

export function firstTokenFinding(samples: readonly Sample[]): Finding[] {
  const limitMs = DEFAULT_LIMITS.firstTokenMs
  const firstMs = medianOf(samples.map(({ answer }) => answer.timing.timeToFirstTokenMs))
  if (firstMs === undefined || firstMs < limitMs / 2) return []
  return [
    {
      code: 'first-token-late',
      weight: 'warns',
      seen: `The first token takes ${(firstMs / 1000).toFixed(1)} s; validators wait ${limitMs / 1000} s.`,
      fix: 'Lower the load of the server (--max-num-seqs), or give it more GPUs.',
    },
  ]
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0)
}
