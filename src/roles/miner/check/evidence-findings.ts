import { DEFAULT_FLOORS } from '../../../evidence/index.js'
import type { Finding } from './types.js'
import type { Weighed } from './weigh.js'

/** Tokens must differ this often before a noise level is read from them. */
const FEWEST_MISMATCHES = 3
/** log10 of the wealth that is worth a look: a hundred times what honest servers have on average. */
const NOTABLE = 2

/** What the answers show together: at most one finding. */
export function evidenceFinding(weighed: Weighed, isOwnReference: boolean): Finding[] {
  const { standing } = weighed
  const fix = isOwnReference
    ? 'The server generates other values than it reads back: try without --kv-cache-dtype fp8, speculative decoding and quantisation.'
    : 'Serve the model’s own weights at the temperature asked for, with its own chat template, without FP8 or 4-bit weights or cache.'
  if (standing.level === 'barred')
    return [{ code: 'evidence', weight: 'fails', seen: standing.sentence, fix }]
  const isNotable = standing.enforced >= NOTABLE
  if (isNotable || isNoisy(weighed))
    return [
      {
        code: isNotable ? 'evidence' : 'noise',
        weight: 'warns',
        seen: `The answers differ more than other hardware explains, though not yet by enough for an accusation: ${numbersOf(weighed)}.`,
        fix,
      },
    ]
  return []
}

function isNoisy({ noise }: Weighed): boolean {
  if (noise.stated > 0 && noise.residual > DEFAULT_FLOORS.residual) return true
  return noise.mismatches >= FEWEST_MISMATCHES && noise.logitScale > DEFAULT_FLOORS.logitScale
}

function numbersOf({ noise }: Weighed): string {
  const stated =
    noise.stated === 0
      ? []
      : [`stated log probabilities are off by up to ${noise.residual.toFixed(3)} nats per answer on average`]
  const drawn = noise.drawn === 0 ? [] : [`${noise.mismatches} of ${noise.drawn} tokens differ`]
  return [...stated, ...drawn].join(', ')
}

/** Whether the server draws tokens as their seeds say. Undecided answers say nothing. */
export function seedFinding({ observations }: Weighed): Finding[] {
  const followed = observations.filter(({ synchrony }) => synchrony === 'yes').length
  const others = observations.filter(({ synchrony }) => synchrony === 'no').length
  if (others === 0 || followed >= others) return []
  return [
    {
      code: 'seed-not-followed',
      weight: 'notes',
      seen: 'The tokens follow no known sampler of seeds, so validators weigh only greedy answers, stated log probabilities and temperatures. Validators with --evidence.seed require count it as a failure.',
      fix: 'Use vLLM 0.31 or newer (murmur3) or 0.20 to 0.30 (philox) with VLLM_USE_V2_MODEL_RUNNER=1 and without speculative decoding.',
    },
  ]
}
