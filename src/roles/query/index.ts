/**
 * The query role: finds miners, queries them, verifies their answers and reports speed and verdict. Tests named after a
 * behaviour: ../../commands/query.test.ts (report.ts).
 */
export { findSelf, listOwnModels, MEND_OWN_MINER, type OwnMiner, SELF_PROMPT } from './ask-self.js'
export { buildRequest } from './build-request.js'
export { chooseModel, describeSilent, type ListedMiner, listModels } from './miner-models.js'
export {
  findMiner,
  type Miner,
  type MinerChoice,
  minerUrlOf,
  requireHotkey,
  servingMiners,
} from './miners.js'
export {
  isGoodReply,
  type QueryOptions,
  type QueryReply,
  queryMiner,
  requireGoodReply,
} from './query-miner.js'
export { compareReplies, describeSelf, reportReply, summarizeReply } from './report.js'
export { type OpenVerifier, openVerifier, type Verifier } from './verifier.js'
