import type { InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { scaled } from '../gauntlet/scale.js'
import type { Configuration } from './configurations.js'
import type { VllmEnvironment } from './environment.js'
import { type FieldAnswer, makeRequests, openField } from './field.js'
import { type KeptAnswers, openKeptAnswers } from './kept-answers.js'
import { startVllm, type VllmServer } from './server.js'

/** A configuration that takes longer keeps what it has and fails; the next run goes on from there. */
const LONGEST_MS = 3_000_000
const AT_ONCE = { v0: 8, v1: 8, v2: 4 }

/**
 * The answers of a configuration in the order of its requests: those that are kept, and the others from a vLLM behind a miner.
 * A server that ends is started again, as long as answers arrive.
 *
 * @param reference the validator's engine, started when it does not run; called only when an answer is missing
 */
export async function gather(
  environment: VllmEnvironment,
  configuration: Configuration,
  reference: () => Promise<VllmServer>,
): Promise<FieldAnswer[]> {
  const kept = openKeptAnswers(environment, configuration)
  const count = scaled(configuration.answers, 20)
  const requests = await makeRequests(configuration.requests, count)
  const latest = systemClock.monotonic() + LONGEST_MS
  for (;;) {
    const missing = [...requests.entries()].filter(([index]) => !kept.answers.has(index))
    if (missing.length === 0 || systemClock.monotonic() > latest) break
    const before = kept.answers.size
    const faults = await askMissing(environment, configuration, await reference(), kept, missing, latest)
    if (faults.length > 0) console.warn(`${configuration.name}: ${faults.join('; ')}`)
    if (kept.answers.size === before)
      throw new Error(`${configuration.name} gives no answers: ${faults.join('; ')}`)
  }
  const answers = [...requests.keys()].flatMap((index) => kept.answers.get(index) ?? [])
  if (answers.length < count)
    throw new Error(`${kept.path} has ${answers.length} of ${count} answers. Run the suite again to go on.`)
  return answers
}

/** @returns faults of this machine or of a server that ended; they spoil no answer, because those are asked for again */
async function askMissing(
  environment: VllmEnvironment,
  configuration: Configuration,
  engine: VllmServer,
  kept: KeptAnswers,
  missing: readonly (readonly [index: number, request: InferenceRequest])[],
  latest: number,
): Promise<string[]> {
  const faults: string[] = []
  const miner = await startVllm(environment, configuration)
  try {
    const field = await openField(environment, { miner, reference: engine })
    const rest = [...missing]
    const work = async () => {
      for (let next = rest.shift(); next; next = rest.shift()) {
        if (faults.length > 0 || systemClock.monotonic() > latest) return
        const answer = await field.ask(next[1])
        if (answer.verdict.kind === 'inconclusive') faults.push(answer.verdict.detail)
        else if (answer.verdict.kind === 'failed' && miner.hasEnded()) faults.push('the server has ended')
        else await kept.add(next[0], answer)
      }
    }
    const workers = Array.from({ length: AT_ONCE[configuration.runner] }, work)
    await Promise.all(workers).finally(() => field.close())
  } finally {
    await miner.close()
  }
  return faults
}
