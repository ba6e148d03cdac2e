/** What people see of a running localnet: the scoreboard, the plain log lines and the JSON report. */
export { type Display, openLiveDisplay, openPlainDisplay } from './display.js'
export { describeLocalnet, localnetStatus, type PartPages } from './page-document.js'
export { type BoardStyle, renderBoard } from './scoreboard.js'
export { type LocalnetReport, type MinerRow, reportOf, type Snapshot } from './snapshot.js'
export type { ValidatorStatus } from './validator-status.js'
export { Watch } from './watch.js'
