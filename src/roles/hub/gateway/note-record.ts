import type { FailedAttempt } from '../asking/index.js'
import type { HubMiner } from '../miners/index.js'
import { KeptAnswer, type OrganicRecord } from '../organics/index.js'
import type { ServeDeps, Served } from './types.js'

type Recorded = Pick<Served, 'id' | 'key' | 'request' | 'isReproducible'> & { readonly atMs: number }

type RecordDeps = Pick<ServeDeps, 'organics' | 'isRetaining'>

/** How one miner answered. */
interface Given {
  readonly miner: HubMiner
  readonly answer: KeptAnswer
  readonly isComplete: boolean
  readonly totalMs: number
  readonly firstTokenMs: number
  readonly tokens: number
}

/** Whether the answer is kept for validators: unless the key is exempt, or they could not verify it. */
export function isKept(
  { key, isReproducible }: Pick<Served, 'key' | 'isReproducible'>,
  { isRetaining }: Pick<ServeDeps, 'isRetaining'>,
): boolean {
  return isRetaining && key.isRetained && isReproducible
}

/** What a miner answers is collected in it; undefined when it is not kept. */
export function beginAnswer(served: Omit<Recorded, 'atMs'>, deps: RecordDeps): KeptAnswer | undefined {
  const { endpoint } = served.request
  return endpoint !== undefined && isKept(served, deps) ? new KeptAnswer(endpoint) : undefined
}

/** Keeps an answer for validators. */
export function noteRecord(deps: RecordDeps, served: Recorded, given: Given): void {
  const { id, atMs, request } = served
  const { endpoint, model, body } = request
  const { miner, answer, isComplete, ...measured } = given
  const { uid, hotkey, coldkey } = miner
  const record: OrganicRecord = {
    ...{ id, atMs, model, uid, hotkey, coldkey },
    ...measured,
    endpoint: endpoint === 'chat' ? 'CHAT' : 'COMPLETION',
    request: body,
    response: answer,
    success: isComplete,
  }
  deps.organics.record(record)
}

/** A miner that failed before its first token; one that was busy or refused the request is not at fault. */
export function noteFailure(
  deps: RecordDeps,
  served: Recorded,
  { miner, failure, totalMs }: FailedAttempt,
): void {
  if (failure.kind !== 'failed' && failure.kind !== 'late') return
  const answer = beginAnswer(served, deps)
  if (answer === undefined) return
  const id = `${served.id}-${miner.uid}`
  noteRecord(
    deps,
    { ...served, id },
    { miner, answer, isComplete: false, totalMs, firstTokenMs: 0, tokens: 0 },
  )
}
