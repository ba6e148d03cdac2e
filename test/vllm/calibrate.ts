import type { ConnectedEngine } from '../../src/engine/index.js'
import { type MeasuredNoise, measureNoise, type Observation } from '../../src/evidence/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { measureAnswer } from '../../src/roles/validator/calibration/measure.js'

/** The noise that `targon validator calibrate` finds with these answers; it also refuses to conclude from too few. */
export async function calibrate(engine: ConnectedEngine, answers: number): Promise<MeasuredNoise> {
  const observations: Observation[] = []
  const signal = new AbortController().signal
  const rest = Array.from({ length: answers }, (_, index) => index)
  const work = async () => {
    for (let index = rest.shift(); index !== undefined; index = rest.shift()) {
      const { samples, failure } = await measureAnswer(engine.servers?.() ?? [], index, systemClock, signal)
      if (failure !== undefined) console.warn(`answer ${index} was not measured: ${failure}`)
      observations.push(...samples.map(({ observation }) => observation))
    }
  }
  await Promise.all([work(), work()])
  if (observations.length === 0) throw new Error('The reference engine could not be calibrated.')
  return measureNoise(observations)
}
