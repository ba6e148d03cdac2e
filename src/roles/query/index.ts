export {
  type AskDeps,
  askAndJudge,
  type Judge,
  type JudgedReply,
  requireGoodReply,
} from './ask.js'
export { chooseModel } from './choose.js'
export { type ListedMiner, listModels } from './miner-models.js'
export {
  findMiner,
  type Miner,
  type MinerChoice,
  minerUrlOf,
  requireHotkey,
  servingMiners,
} from './miners.js'
export { compareReplies, reportReply, summarizeReply } from './report.js'
export { buildRequest, type OpenJudge, openJudge } from './session.js'
