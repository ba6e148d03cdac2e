#!/usr/bin/env node
// This door alone: the whole of oclif costs a light command a sixth of its start.
import { execute } from '@oclif/core/execute'

await execute({ dir: import.meta.url })
// The command has ended; a handle that something forgot must not keep the process.
setTimeout(() => process.exit(), 2000).unref()
