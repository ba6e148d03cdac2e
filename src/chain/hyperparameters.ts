import { z } from 'zod'
import type { SubnetLimits } from './plausibility.js'
import type { ReadAt, Runtime } from './runtime.js'
import type { WeightRules } from './weights-types.js'

const integer = z.union([z.number(), z.bigint()]).transform(Number)

/** Reads the rules at one block. An item the runtime lacks gets the value that was in force without it. */
export async function readWeightRules(runtime: Runtime, netuid: number, at: ReadAt): Promise<WeightRules> {
  const read = (item: string, keys: readonly unknown[] = [netuid]) => runtime.read(item, keys, at)
  const [count, min, max, rate, key, enabled, version] = await Promise.all([
    read('SubnetworkN'),
    read('MinAllowedWeights'),
    read('MaxWeightsLimit'),
    read('WeightsSetRateLimit'),
    read('WeightsVersionKey'),
    read('CommitRevealWeightsEnabled'),
    read('CommitRevealWeightsVersion', []),
  ])
  return {
    neuronCount: integer.parse(count),
    minAllowedWeights: integer.default(0).parse(min),
    maxWeightLimit: integer.default(65_535).parse(max) / 65_535,
    rateLimitBlocks: integer.default(0).parse(rate),
    versionKey: integer.default(0).parse(key),
    isCommitReveal: z.boolean().default(false).parse(enabled),
    commitRevealVersion: integer.default(3).parse(version),
  }
}

/** An enum without content; undefined in runtimes that know Yuma consensus only. */
const consensusMode = z.object({ kind: z.string() }).optional()

/** Whether only the hotkey with the largest stake has a permit and may set weights (spec 474). */
export async function readNullConsensus(runtime: Runtime, netuid: number, at: ReadAt): Promise<boolean> {
  return consensusMode.parse(await runtime.read('SubnetEpochConsensus', [netuid], at))?.kind === 'Null'
}

/** Reads how large the subnet may be. An item the runtime lacks limits nothing. */
export async function readSubnetLimits(runtime: Runtime, netuid: number, at: ReadAt): Promise<SubnetLimits> {
  const [maxUids, maxPermits, isNull] = await Promise.all([
    runtime.read('MaxAllowedUids', [netuid], at),
    runtime.read('MaxAllowedValidators', [netuid], at),
    readNullConsensus(runtime, netuid, at),
  ])
  return {
    maxUids: integer.default(Number.POSITIVE_INFINITY).parse(maxUids),
    maxPermits: isNull ? 1 : integer.default(Number.POSITIVE_INFINITY).parse(maxPermits),
  }
}

/** The registration of a hotkey on a subnet. */
export interface Registration {
  readonly uid: number
  readonly lastUpdateBlock: number
}

/** @returns undefined when the hotkey is not registered. */
export async function readRegistration(
  runtime: Runtime,
  netuid: number,
  hotkey: string,
  at: ReadAt,
): Promise<Registration | undefined> {
  const [uid, updates] = await Promise.all([
    runtime.read('Uids', [netuid, hotkey], at),
    runtime.read('LastUpdate', [netuid], at),
  ])
  if (uid === undefined) return undefined
  const index = integer.parse(uid)
  return { uid: index, lastUpdateBlock: z.array(integer).parse(updates)[index] ?? 0 }
}
