import {
  alarmThreshold,
  EvidenceBook,
  type MeasuredNoise,
  measureNoise,
  noiseLevels,
  type Observation,
  observe,
  type Standing,
} from '../../../evidence/index.js'
import type { Sample } from './samples.js'

/** Probability that the answers of an honest server look like a cheat in one check. */
const FALSE_ALARM = 1e-6
const SERVER = 'server'

/** What the answers say together. */
export interface Weighed {
  readonly standing: Standing
  readonly noise: MeasuredNoise
  readonly observations: readonly Observation[]
}

/** Weighs the answers with a validator's evidence, granting the noise of other hardware. Undefined without compared answers. */
export function weighSamples(model: string, samples: readonly Sample[], now: number): Weighed | undefined {
  const answers = samples.flatMap(({ compared }) => compared ?? [])
  if (answers.length === 0) return undefined
  const threshold = alarmThreshold(FALSE_ALARM, answers.length)
  const book = new EvidenceBook({ threshold, cleanAnswers: answers.length + 1 })
  const levels = noiseLevels(undefined)
  const observations = answers.map((answer) => {
    const observation = observe(answer, levels, book.dialectOf(SERVER, model))
    book.record(SERVER, model, observation, now)
    return observation
  })
  return { standing: book.standing(SERVER, model), noise: measureNoise(observations), observations }
}
