import { z } from 'zod'
import { type Call, hasCall, subtensorCall } from './call.js'
import { commitCall, isKnownCommitVersion, type WeightsCommit } from './commit-weights.js'
import type { ChainContext } from './context.js'
import { type Registration, readNullConsensus, readRegistration, readWeightRules } from './hyperparameters.js'
import { type Link, readHead } from './link.js'
import type { ChainRefusal } from './outcomes.js'
import { planWeights } from './plan-weights.js'
import { refusal } from './refusal.js'
import type { Session } from './session.js'
import { readNonce } from './signed-extrinsic.js'
import type { Submitter } from './submitter.js'
import type { ChainSigner, Metagraph } from './types.js'
import type {
  SetWeightsResult,
  WeightEntry,
  WeightRules,
  WeightsRequest,
  WeightsStatus,
} from './weights-types.js'

export interface WeightsDeps {
  readonly context: ChainContext
  readonly session: Session
  readonly submitter: Submitter
  /** The newest accepted metagraph of the subnet. */
  readonly lastMetagraph: Metagraph | undefined
  /** The rules as a second endpoint shows them; undefined without one. */
  readonly agreedRules: WeightRules | undefined
}

/** The rules of the subnet and the state of the signer, at one block. */
interface Situation {
  readonly rules: WeightRules
  readonly registration: Registration | undefined
  readonly block: number
  /** Nonce of the signer's account. */
  readonly nonce: number
  readonly isNullConsensus: boolean
  /** Validator permits by uid. */
  readonly permits: readonly boolean[]
}

/**
 * Submits weights made from scores, directly or as a commit, as the chain currently requires, and confirms them: the
 * extrinsic succeeded in a block, or LastUpdate advanced.
 */
export async function submitWeights(
  deps: WeightsDeps,
  signer: ChainSigner,
  request: WeightsRequest,
  signal?: AbortSignal,
): Promise<SetWeightsResult> {
  const { netuid, versionKey } = request
  const situation = await deps.session.use(
    (link) => readSituation(link, netuid, signer.address, signal),
    signal,
  )
  const { rules } = situation
  const registration = requireRegistration(situation, deps.lastMetagraph, signer.address, versionKey)
  if ('class' in registration) return { kind: 'refused', refusal: registration }
  // The rules shape the weights: a lower MaxWeightsLimit would move weight from the best miner to the others.
  const bent = deps.agreedRules && differingRule(rules, deps.agreedRules)
  if (bent) return { kind: 'refused', refusal: refusal('endpoints-differ', `${bent} differs`) }
  const plan = planWeights(request.uids, request.scores, rules)
  if (plan.kind === 'skip') return { kind: 'skipped', reason: plan.reason }
  if (rules.isCommitReveal && !isKnownCommitVersion(rules.commitRevealVersion)) {
    const refused = refusal('commit-reveal-version', 'IncorrectCommitRevealVersion')
    return { kind: 'refused', refusal: refused }
  }
  return send(deps, signer, request, { rules, registration, entries: plan.entries }, signal)
}

interface PlannedWeights {
  readonly rules: WeightRules
  readonly registration: Registration
  readonly entries: readonly WeightEntry[]
}

async function send(
  deps: WeightsDeps,
  signer: ChainSigner,
  request: WeightsRequest,
  { rules, registration, entries }: PlannedWeights,
  signal: AbortSignal | undefined,
): Promise<SetWeightsResult> {
  const { netuid, versionKey, nonce, untilBlock } = request
  const path = rules.isCommitReveal ? 'commit' : 'direct'
  let commit: WeightsCommit | undefined
  const chooseCall = async (link: Link): Promise<Call> => {
    if (path === 'direct') return directCall(link, request, entries)
    const commitVersion = rules.commitRevealVersion
    commit = await commitCall(link, signer, { netuid, versionKey, commitVersion }, entries, signal)
    return commit.call
  }
  const onSigned = async (hash: string, signedNonce: number) => {
    await request.onSigned?.({ hash, nonce: signedNonce, path, entries })
  }
  const outcome = await deps.submitter.submit(signer, chooseCall, { signal, nonce, untilBlock, onSigned })
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

/** The registration of the signer, or a refusal when the chain would certainly refuse or shows an impossible state. */
function requireRegistration(
  { rules, registration, block, isNullConsensus, permits }: Situation,
  last: Metagraph | undefined,
  hotkey: string,
  versionKey: number,
): Registration | ChainRefusal {
  if (last && rules.neuronCount < last.neurons.length) return refusal('implausible', 'neurons disappeared')
  if (!registration && last?.find(hotkey)) return refusal('implausible', 'registration disappeared')
  if (!registration) return refusal('not-registered', 'HotKeyNotRegisteredInSubNet')
  if (rules.versionKey !== 0 && versionKey < rules.versionKey)
    return refusal('version-key', 'IncorrectWeightVersionKey')
  if (block - registration.lastUpdateBlock < rules.rateLimitBlocks)
    return refusal('too-fast', 'SettingWeightsTooFast')
  // The pool would answer with a code that says nothing (255).
  if (isNullConsensus && permits[registration.uid] !== true)
    return refusal('no-permit', 'NeuronNoValidatorPermit')
  return registration
}

function differingRule(ours: WeightRules, theirs: WeightRules): keyof WeightRules | undefined {
  const names = Object.keys(ours) as (keyof WeightRules)[]
  return names.find((name) => ours[name] !== theirs[name])
}

/** The call that stores weights directly; for mechanism 0 on runtimes with mechanisms. */
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

/** Reads everything at one block, so that the parts are consistent. */
async function readSituation(
  link: Link,
  netuid: number,
  hotkey: string,
  signal?: AbortSignal,
): Promise<Situation> {
  const head = await readHead(link, 'best', { signal })
  const at = { blockHash: head.hash, ...(signal ? { signal } : {}) }
  const [rules, registration, nonce, isNullConsensus, permits] = await Promise.all([
    readWeightRules(link.runtime, netuid, at),
    readRegistration(link.runtime, netuid, hotkey, at),
    readNonce(link.runtime, hotkey, at),
    readNullConsensus(link.runtime, netuid, at),
    link.runtime.read('ValidatorPermit', [netuid], at),
  ])
  return {
    rules,
    registration,
    block: head.number,
    nonce,
    isNullConsensus,
    permits: z.array(z.boolean()).default([]).parse(permits),
  }
}

/** What the best block shows about the weights of a hotkey. */
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

/** Checks each new head for a LastUpdate after the one before the submission. */
async function findUpdate(
  { context, session }: WeightsDeps,
  signer: ChainSigner,
  netuid: number,
  before: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const end = new AbortController()
  const waiting = AbortSignal.any(signal ? [signal, end.signal] : [end.signal])
  context.clock.sleep(context.inclusionTimeoutMs, waiting).then(
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
