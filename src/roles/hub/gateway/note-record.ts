import { type JsonObject, parseJson } from '../../../kernel/index.js'
import type { FailedAttempt } from '../asking/index.js'
import type { HubMiner } from '../miners/index.js'
import type { OrganicRecord, OrganicStore } from '../organics/index.js'
import type { Served } from './types.js'

type Recorded = Pick<Served, 'id' | 'key' | 'request'> & { readonly atMs: number }

/** How one miner answered. */
interface Given {
  readonly miner: HubMiner
  /** Chunks as the miner sent them. */
  readonly chunks: readonly string[]
  readonly isComplete: boolean
  readonly totalMs: number
  readonly firstTokenMs: number
  readonly tokens: number
}

/** Keeps an answer for validators, unless the key is exempt or the request cannot be verified. */
export function noteRecord(organics: Pick<OrganicStore, 'record'>, served: Recorded, given: Given): void {
  const { id, atMs, key, request } = served
  const { endpoint, model, body } = request
  if (!key.isRetained || endpoint === undefined) return
  const { miner, chunks, isComplete, ...measured } = given
  const { uid, hotkey, coldkey } = miner
  const record: OrganicRecord = {
    ...{ id, atMs, model, uid, hotkey, coldkey },
    ...measured,
    endpoint: endpoint === 'chat' ? 'CHAT' : 'COMPLETION',
    request: body,
    response: chunks.map((chunk) => parseJson(chunk) as JsonObject),
    success: isComplete,
  }
  organics.record(record)
}

/** A miner that failed before its first token; one that was busy or refused the request is not at fault. */
export function noteFailure(
  organics: Pick<OrganicStore, 'record'>,
  served: Recorded,
  { miner, failure, totalMs }: FailedAttempt,
): void {
  if (failure.kind !== 'failed' && failure.kind !== 'late') return
  const id = `${served.id}-${miner.uid}`
  noteRecord(
    organics,
    { ...served, id },
    { miner, chunks: [], isComplete: false, totalMs, firstTokenMs: 0, tokens: 0 },
  )
}
