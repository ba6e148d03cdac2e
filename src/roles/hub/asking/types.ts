import type { Endpoint } from '../../../inference/index.js'
import type { JsonObject } from '../../../kernel/index.js'
import type { HubMiner, Turn } from '../miners/index.js'
import type { MinerFailure } from './miner-failure.js'

/** What a user asks, as the hub sends it on. */
export interface UserRequest {
  readonly path: string
  /** Undefined: a route or a request that validators cannot verify; it is passed on as it is. */
  readonly endpoint: Endpoint | undefined
  readonly model: string
  /** The body for the miner. Exactly its encoding is signed and sent. */
  readonly body: JsonObject
  /** Highest number of generated tokens that the body asks for. */
  readonly maxTokens: number
}

/** What a miner does for one request. */
export interface Attempt<Piece> {
  readonly miner: HubMiner
  readonly turn: Turn
  /** Monotonic time of the request. */
  readonly startMs: number
  /** Resolves when the first piece with content is there. @throws MinerFailure; the reason of an abort */
  readonly started: Promise<void>
  /** All pieces from the first on. Read it once, after `started`. @throws MinerFailure; the reason of an abort */
  pieces(): AsyncGenerator<Piece, void>
  /** Drops the connection. */
  abort(): void
}

/** A miner that failed before it had sent anything. */
export interface FailedAttempt {
  readonly miner: HubMiner
  readonly failure: MinerFailure
  readonly totalMs: number
}
