import { TUNING } from './tuning.js'

/** How far the numbers of an honest server may be from those of the reference engine. */
export interface Noise {
  /**
   * Scale s of a Laplace tail for the difference of two logits, in nats: a token that leads by d is overtaken with a
   * probability of at most exp(-d/s)/2. Heavier than Gaussian noise on purpose, because bfloat16 rounds logits in steps.
   */
  readonly logitScale: number
  /** Bound on the mean of min(|claimed - reference|, cap) over the telling tokens of an answer, in nats. */
  readonly residual: number
  /** Probability that a token differs however far the other one leads. */
  readonly unexplained: number
}

/** An answer is weighed at both levels. Only what exceeds `enforced` costs a miner its score; `suspicion` is shown. */
export interface NoiseLevels {
  readonly suspicion: Noise
  readonly enforced: Noise
}

/**
 * Levels from what was measured and what other hardware is known to do.
 *
 * @param calibrated what an answer of the validator's own engines showed, or undefined before a calibration
 * @param floors the least noise granted to other hardware
 * @param safety factor on the calibrated noise
 */
export function noiseLevels(
  calibrated: Noise | undefined,
  floors: Noise = DEFAULT_FLOORS,
  safety: number = TUNING.safetyFactor.value,
): NoiseLevels {
  const suspicion = calibrated
    ? {
        logitScale: Math.max(calibrated.logitScale * safety, TUNING.leastLogitScale.value),
        residual: Math.max(calibrated.residual * safety, TUNING.leastResidual.value),
        unexplained: Math.max(calibrated.unexplained, TUNING.leastUnexplained.value),
      }
    : floors
  return { suspicion, enforced: largerNoise(suspicion, floors) }
}

function largerNoise(a: Noise, b: Noise): Noise {
  return {
    logitScale: Math.max(a.logitScale, b.logitScale),
    residual: Math.max(a.residual, b.residual),
    unexplained: Math.max(a.unexplained, b.unexplained),
  }
}

/** What honest servers on other hardware may differ by. */
export const DEFAULT_FLOORS: Noise = {
  logitScale: TUNING.floorLogitScale.value,
  residual: TUNING.floorResidual.value,
  unexplained: TUNING.leastUnexplained.value,
}
