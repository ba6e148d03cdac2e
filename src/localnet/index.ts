/**
 * A whole subnet on one machine: development chain and engines, miners, a validator, and the board that shows them.
 * Only commands and `--mock` use it. Tests named after a behaviour: ../../test/e2e/localnet.test.ts and
 * ../../test/e2e/localnet-end.test.ts (run.ts, serve-page.ts).
 */
export {
  type BoardStyle,
  type Display,
  type LocalnetReport,
  type MinerRow,
  openLiveDisplay,
  openPlainDisplay,
  renderBoard,
  reportOf,
  type Snapshot,
} from './board/index.js'
export {
  type AroundOptions,
  type PartEndpoint,
  type SurroundingNetwork,
  serveParts,
  startNetworkAround,
} from './network/index.js'
export { type LocalnetOptions, runLocalnet } from './run.js'
export { localnetApi } from './serve-page.js'
