import type { SubtensorClient, WeightEntry } from '../chain/index.js'

/** One neuron in a preview, with its weight as computed and as stored on chain. */
export interface PreviewedWeight {
  readonly uid: number
  readonly hotkey: string
  readonly score: number
  /** The weight that would be submitted, 0..65535. */
  readonly weightU16: number
  /** The weight the chain stores. */
  readonly onChainU16: number
}

export interface WeightsPreview {
  readonly validatorUid: number
  readonly block: number
  readonly path: 'direct' | 'commit'
  /** Why no weights would be submitted; undefined when they would be. */
  readonly skipped: string | undefined
  readonly weights: readonly PreviewedWeight[]
}

/** Computes the weights a running validator would submit now, like the submission, and compares them with the chain. */
export async function previewWeights(
  subtensor: Pick<SubtensorClient, 'weightRules' | 'weightsOf'>,
  netuid: number,
  status: {
    readonly uid: number
    readonly block: number
    readonly miners: readonly { readonly uid: number; readonly hotkey: string; readonly score: number }[]
  },
  signal: AbortSignal,
): Promise<WeightsPreview> {
  // Importing chain/ loads @polkadot/types, which takes most of a second.
  const { planWeights } = await import('../chain/index.js')
  const [rules, stored] = await Promise.all([
    subtensor.weightRules(netuid, signal),
    subtensor.weightsOf(netuid, status.uid, signal),
  ])
  const { miners } = status
  const plan = planWeights(
    miners.map(({ uid }) => uid),
    miners.map(({ score }) => score),
    rules,
  )
  const entries = plan.kind === 'submit' ? plan.entries : []
  const known = new Map(miners.map((miner) => [miner.uid, miner]))
  const uids = new Set([...known.keys(), ...stored.map(({ uid }) => uid)])
  return {
    validatorUid: status.uid,
    block: status.block,
    path: rules.isCommitReveal ? 'commit' : 'direct',
    skipped: plan.kind === 'submit' ? undefined : `${plan.reason}: ${plan.detail}`,
    weights: [...uids]
      .map((uid) => ({
        uid,
        hotkey: known.get(uid)?.hotkey ?? '',
        score: known.get(uid)?.score ?? 0,
        weightU16: weightIn(entries, uid),
        onChainU16: weightIn(stored, uid),
      }))
      .sort((a, b) => b.weightU16 - a.weightU16 || a.uid - b.uid),
  }
}

function weightIn(entries: readonly WeightEntry[], uid: number): number {
  return entries.find((entry) => entry.uid === uid)?.weightU16 ?? 0
}
