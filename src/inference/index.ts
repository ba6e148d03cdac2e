/**
 * Queries miners: signs a request, reads the streamed answer within limits and measures it. Tests named after a behaviour:
 * ask-miner.test.ts (stream-deadlines.ts, types.ts), hostile-streams.test.ts (miner-stream.ts), bystanders.test.ts (paced-work.ts),
 * miner-models.test.ts (collect-body.ts).
 */
export {
  type AskOptions,
  askMiner,
  type MinerTarget,
  type PreparedRequest,
  prepareRequest,
  sendPrepared,
} from './ask-miner.js'
export { askServer, type OwnServer } from './ask-server.js'
export { type AskThread, createAskThread, type ThreadOptions } from './ask-thread.js'
export { type ChunkContent, readChunk } from './chunk.js'
export { copyChunkJson } from './chunk-json.js'
export { readErrorText } from './error-text.js'
export { EventStream, EventStreamError } from './event-stream.js'
export { type FetchLimits, guardFetch } from './guarded-fetch.js'
export { DEFAULT_LIMITS, type StreamLimits } from './limits.js'
export { createMinerAgent } from './miner-agent.js'
export { type MinerClientOptions, minerClient } from './miner-client.js'
export { listModels, type ModelsAnswer, type ModelsOptions, postModels } from './miner-models.js'
export { isReproducible, MAX_PROMPT, rulesOutCuts } from './reproducible.js'
export { arrangeMembers, NEUTRAL_SAMPLING } from './request.js'
export { checkResponseHead } from './response-head.js'
export { type StallWatch, watchStalls } from './stall-watch.js'
export { readTargon4, type Targon4Answer, type TimedStream } from './targon-4.js'
export { BURST_MARGIN, type BurstRule, burstRuleOf, NON_STREAMED, STRICT_BURST_RULE } from './timing.js'
export type {
  Answer,
  AnswerTiming,
  ChatMessage,
  Endpoint,
  InferenceRequest,
  OutputToken,
  RuleSet,
  StreamFault,
} from './types.js'
export type { StreamProgress } from './watched-reader.js'
