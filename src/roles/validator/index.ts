export { isForbiddenAddress, originOf } from './address-guard.js'
export type { ValidatorReport } from './report.js'
export { startValidator, type ValidatorDeps } from './start.js'
export { type ValidatorStatus, validatorStatus } from './status.js'
