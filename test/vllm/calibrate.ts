import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  type MeasuredNoise,
  measureNoise,
  type Observation,
  observationSchema,
} from '../../src/evidence/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { measureAnswer } from '../../src/roles/validator/calibration/measure.js'
import { scaled } from '../gauntlet/scale.js'
import { VLLM_VERSION, type VllmEnvironment } from './environment.js'
import { openField } from './field.js'
import type { VllmServer } from './server.js'

/**
 * The noise that `targon validator calibrate` finds with these answers; it also refuses to conclude from too few. What the
 * answers say is kept in the cache.
 */
export async function calibrate(
  environment: VllmEnvironment,
  reference: () => Promise<VllmServer>,
): Promise<MeasuredNoise> {
  const count = scaled(60, 12)
  const path = join(environment.cache, `calibration-${VLLM_VERSION}-${count}.json`)
  if (existsSync(path))
    return measureNoise(z.array(observationSchema).parse(JSON.parse(readFileSync(path, 'utf8'))))
  const server = await reference()
  const field = await openField(environment, { miner: server, reference: server })
  const observations = await measure(field.engine.servers?.() ?? [], count).finally(() => field.close())
  if (observations.length === 0) throw new Error('The reference engine could not be calibrated.')
  writeFileSync(path, JSON.stringify(observations))
  return measureNoise(observations)
}

async function measure(servers: Parameters<typeof measureAnswer>[0], count: number): Promise<Observation[]> {
  const observations: Observation[] = []
  const signal = new AbortController().signal
  const rest = Array.from({ length: count }, (_, index) => index)
  const work = async () => {
    for (let index = rest.shift(); index !== undefined; index = rest.shift()) {
      const { samples, failure } = await measureAnswer(servers, index, systemClock, signal)
      if (failure !== undefined) console.warn(`answer ${index} was not measured: ${failure}`)
      observations.push(...samples.map(({ observation }) => observation))
    }
  }
  await Promise.all([work(), work()])
  return observations
}
