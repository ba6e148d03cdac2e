import { fractionOf, mixHash } from './random.js'

/** How a server's copy of a model differs from the reference. All parts are deterministic: the same tokens give the same logits. */
export interface Variation {
  /** Every candidate is off by up to this many nats before ranks are given, as with badly damaged weights. */
  readonly weightNoise?: number
  /** Candidates' weights are rounded to multiples of this many nats. */
  readonly weightStep?: number
  /** Gaussian noise on the final logits. */
  readonly logitNoise?: readonly LogitNoise[]
}

export interface LogitNoise {
  /** Standard deviation in nats. */
  readonly sd: number
  readonly seed: number
}

/** The weight of one candidate as stored by the copy. */
export function storedWeight(weight: number, { weightNoise, weightStep }: Variation, hash: number): number {
  const noisy = weightNoise ? weight + weightNoise * (2 * fractionOf(mixHash(hash, 0x5eed)) - 1) : weight
  return weightStep ? Math.round(noisy / weightStep) * weightStep : noisy
}

/** Sum of the noise on the logit of one id after these tokens. */
export function noiseOn(id: number, noises: readonly LogitNoise[], tokensHash: number): number {
  let sum = 0
  for (const { sd, seed } of noises) sum += sd * gaussianOf(mixHash(mixHash(tokensHash, seed), id))
  return sum
}

/** A hash as a standard normal number (Box-Muller). */
function gaussianOf(hash: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - fractionOf(hash)))
  return radius * Math.cos(2 * Math.PI * fractionOf(mixHash(hash, 1)))
}

/** Both variations at once. */
export function combineVariations(first: Variation, second: Variation): Variation {
  return {
    ...first,
    ...second,
    logitNoise: [...(first.logitNoise ?? []), ...(second.logitNoise ?? [])],
  }
}
