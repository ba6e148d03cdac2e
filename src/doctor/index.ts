/**
 * `targon doctor`: looks at everything a neuron depends on, and says what is wrong and what to do. It changes nothing on disk
 * or chain. A check is a file in checks/; examine.ts runs them.
 */
export { commonChecks, hubChecks, machineChecks, minerChecks, validatorChecks } from './checks/index.js'
export type {
  Check,
  CommonSettings,
  Context,
  HubContext,
  MinerContext,
  SettingsReading,
  ValidatorContext,
} from './context.js'
export { examine, failure, isHealthy } from './examine.js'
export type { Finding } from './finding.js'
export { type Machine, ownMachine } from './machine.js'
export { once } from './once.js'
export { summarize, writeFinding } from './report.js'
export { configuredRole } from './role.js'
