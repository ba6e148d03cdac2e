/**
 * The command line: parsing of flags, output, exit statuses, and the process around a neuron.
 *
 * Tests named after a behaviour: unread-log.test.ts (role-logger.ts, run-role.ts, standard-error.ts).
 */

export { BaseCommand, type Invocation } from './base-command.js'
export { openCommandProgress } from './command-progress.js'
export { EXIT_STATUS } from './exit-status.js'
export { flagsOf } from './flags.js'
export { boundHeapGrowth } from './heap-growth.js'
export { hubDatabaseFlags, hubPlaceOf, keyLimitFlags } from './hub-key-flags.js'
export type { SurroundingNetwork } from './mock.js'
export { writeAnswer, writeJson } from './output.js'
export { watchReload } from './reload.js'
export { openQuietLog } from './role-logger.js'
export { type RoleRun, type RunContext, runRole } from './run-role.js'
export { ownSurroundings, selfCommand } from './self-command.js'
export { runUntilStopped } from './shutdown.js'
export { unblockStandardError } from './standard-error.js'
export { openStateFolder, type StateLocation, stateFolderOf } from './state-folder.js'
export { StatusCommand, watchFlags } from './status-command.js'
export { formatTable } from './table.js'
export { askPassword, readPrompt } from './terminal-input.js'
