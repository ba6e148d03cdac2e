import type { Clock } from '../kernel/index.js'
import { type Call, hasCall, subtensorCall } from './call.js'
import { commitCall, isKnownCommitVersion, type WeightsCommit } from './commit-weights.js'
import { readNonce } from './extrinsic.js'
import { type Registration, readRegistration, readWeightRules, type WeightRules } from './hyperparameters.js'
import { type Link, readHead } from './link.js'
import { planWeights } from './plan-weights.js'
import { refusal } from './refusal.js'
import type { Session } from './session.js'
import type { Submitter } from './submitter.js'
import type { ChainRefusal, ChainSigner, Metagraph, SetWeightsResult, WeightEntry } from './types.js'
import type { WeightsStatus } from './weights-pipeline.js'

export interface WeightsRequest {
  readonly netuid: number
  readonly uids: readonly number[]
  readonly scores: readonly number[]
  readonly versionKey: number
  /**
   * Nonce to sign with, as of the block the decision was taken at: of all that is signed with one nonce the chain
   * takes one. By default the next one, after what waits in the pool.
   */
  readonly nonce?: number
  /** First block of the next epoch: what is sent cannot land there any more. */
  readonly untilBlock?: number
  /** Awaited between signing and sending: what is written here survives a crash in the midst. */
  readonly onSigned?: (attempt: SignedAttempt) => Promise<void>
}

/** A submission about to be sent. */
export interface SignedAttempt {
  readonly hash: string
  readonly nonce: number
  readonly path: 'direct' | 'commit'
  readonly entries: readonly WeightEntry[]
}

export interface WeightsDeps {
  readonly session: Session
  readonly submitter: Submitter
  readonly clock: Clock
  /** How long an unconfirmed submission is looked for on chain. */
  readonly confirmTimeoutMs: number
  /** The newest picture of the subnet that could be believed. */
  readonly lastMetagraph: (netuid: number) => Metagraph | undefined
}

/** What the chain says about the subnet and the signer, at one block. */
interface Situation {
  readonly rules: WeightRules
  readonly registration: Registration | undefined
  readonly block: number
  /** Nonce of the signer's account. */
  readonly nonce: number
}

/**
 * Submits the vector the scores make, by the path the chain asks for at this moment, and confirms it: the extrinsic
 * is in a block and succeeded, or LastUpdate moved.
 */
export async function submitWeights(
  deps: WeightsDeps,
  signer: ChainSigner,
  request: WeightsRequest,
  signal?: AbortSignal,
): Promise<SetWeightsResult> {
  const { netuid } = request
  const situation = await deps.session.use(
    (link) => readSituation(link, netuid, signer.address, signal),
    signal,
  )
  const { rules } = situation
  const registration = admit(situation, deps.lastMetagraph(netuid), signer.address, request.versionKey)
  if ('class' in registration) return { kind: 'refused', refusal: registration }
  const plan = planWeights(request.uids, request.scores, rules)
  if (plan.kind === 'skip') return { kind: 'skipped', reason: plan.reason }
  if (rules.isCommitReveal && !isKnownCommitVersion(rules.commitRevealVersion)) {
    const refused = refusal('commit-reveal-version', 'IncorrectCommitRevealVersion')
    return { kind: 'refused', refusal: refused }
  }
  const { entries } = plan
  const path = rules.isCommitReveal ? 'commit' : 'direct'
  let commit: WeightsCommit | undefined
  const outcome = await deps.submitter.submit(
    signer,
    async (link) => {
      if (path === 'direct') return directCall(link, request, entries)
      const commitVersion = rules.commitRevealVersion
      commit = await commitCall(
        link,
        signer,
        { netuid, versionKey: request.versionKey, commitVersion },
        entries,
        signal,
      )
      return commit.call
    },
    {
      signal,
      nonce: request.nonce,
      untilBlock: request.untilBlock,
      onSigned: async (hash, nonce) => {
        await request.onSigned?.({ hash, nonce, path, entries })
      },
    },
  )
  const set = (block: number, hash: string): SetWeightsResult => ({
    kind: 'set',
    block,
    path,
    hash,
    entries,
    ...(commit ? { revealBlock: commit.revealBlock, revealRound: commit.revealRound } : {}),
  })
  switch (outcome.kind) {
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal }
    case 'included':
      return set(outcome.block, outcome.hash)
    case 'unconfirmed': {
      const block = await findUpdate(deps, signer, netuid, registration.lastUpdateBlock, signal)
      return block === undefined
        ? { kind: 'unconfirmed', reason: outcome.reason }
        : set(block, outcome.hash ?? '')
    }
  }
}

/** The signer's place; or a refusal, where the chain would refuse for certain or shows what it cannot have become. */
function admit(
  { rules, registration, block }: Situation,
  known: Metagraph | undefined,
  hotkey: string,
  versionKey: number,
): Registration | ChainRefusal {
  if (known && rules.neuronCount < known.neurons.length) return refusal('implausible', 'neurons disappeared')
  if (!registration && known?.find(hotkey)) return refusal('implausible', 'registration disappeared')
  if (!registration) return refusal('not-registered', 'HotKeyNotRegisteredInSubNet')
  if (rules.versionKey !== 0 && versionKey < rules.versionKey)
    return refusal('version-key', 'IncorrectWeightVersionKey')
  if (block - registration.lastUpdateBlock < rules.rateLimitBlocks)
    return refusal('too-fast', 'SettingWeightsTooFast')
  return registration
}

/** Call that stores the vector at once; on runtimes with mechanisms the one for mechanism 0. */
export function directCall(
  { runtime }: Link,
  { netuid, versionKey }: Pick<WeightsRequest, 'netuid' | 'versionKey'>,
  entries: readonly WeightEntry[],
): Call {
  const args = {
    netuid,
    mecid: 0,
    dests: entries.map(({ uid }) => uid),
    weights: entries.map(({ weightU16 }) => weightU16),
    version_key: versionKey,
  }
  return subtensorCall(
    hasCall(runtime, 'set_mechanism_weights') ? 'set_mechanism_weights' : 'set_weights',
    args,
  )
}

/** Everything at one block: what is true of another one would not fit together. */
async function readSituation(
  link: Link,
  netuid: number,
  hotkey: string,
  signal?: AbortSignal,
): Promise<Situation> {
  const head = await readHead(link, 'best', { signal })
  const at = { blockHash: head.hash, ...(signal ? { signal } : {}) }
  const [rules, registration, nonce] = await Promise.all([
    readWeightRules(link.runtime, netuid, at),
    readRegistration(link.runtime, netuid, hotkey, at),
    readNonce(link.runtime, hotkey, at),
  ])
  return { rules, registration, block: head.number, nonce }
}

/** What the chain shows about a hotkey's weights at its best block. */
export async function readWeightsStatus(
  link: Link,
  netuid: number,
  hotkey: string,
  signal?: AbortSignal,
): Promise<WeightsStatus> {
  const { rules, registration, block, nonce } = await readSituation(link, netuid, hotkey, signal)
  return {
    block,
    uid: registration?.uid,
    lastUpdateBlock: registration?.lastUpdateBlock ?? 0,
    rateLimitBlocks: rules.rateLimitBlocks,
    nonce,
  }
}

/** Looks at each new head for a LastUpdate later than the one before the submission. */
async function findUpdate(
  { session, clock, confirmTimeoutMs }: WeightsDeps,
  signer: ChainSigner,
  netuid: number,
  before: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const end = new AbortController()
  const waiting = AbortSignal.any(signal ? [signal, end.signal] : [end.signal])
  clock.sleep(confirmTimeoutMs, waiting).then(
    () => end.abort(),
    () => {},
  )
  try {
    for await (const head of session.heads.read(waiting)) {
      const found = await session
        .use(
          (link) => readRegistration(link.runtime, netuid, signer.address, { blockHash: head.hash }),
          signal,
        )
        .catch(() => undefined)
      if (found && found.lastUpdateBlock > before) return found.lastUpdateBlock
    }
    return undefined
  } finally {
    end.abort()
  }
}
