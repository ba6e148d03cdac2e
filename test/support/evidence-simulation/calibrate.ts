import {
  DEFAULT_FLOORS,
  measureNoise,
  type NoiseLevels,
  noiseLevels,
  observe,
} from '../../../src/evidence/index.js'
import { createSimulator, type Server } from './simulator.js'

/** Levels from honest answers of a server, as a validator calibrates: half greedy, half seeded, and no floors unless given. */
export function calibratedLevels(server: Server, answers: number, floors = NO_FLOORS): NoiseLevels {
  const simulator = createSimulator(0xca1)
  const uncalibrated = noiseLevels(undefined, DEFAULT_FLOORS)
  const observations = Array.from({ length: answers }, (_, index) => {
    const temperature = index % 2 === 0 ? 0 : 0.5 + 0.1 * (index % 9)
    return observe(simulator.answer({ server, temperature, tokens: 200 }), uncalibrated, server.dialect)
  })
  return noiseLevels(measureNoise(observations), floors)
}

/** Levels are those of the calibration alone. */
const NO_FLOORS = { logitScale: 0, residual: 0, unexplained: 0 }
