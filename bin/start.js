import './environment.js'
// Not '@oclif/core': loading all of oclif would add a sixth to the start of a light command.
import { execute } from '@oclif/core/execute'

await execute({ dir: import.meta.url })
// The command is done; a forgotten handle must not keep the process alive.
setTimeout(() => process.exit(), 2000).unref()
