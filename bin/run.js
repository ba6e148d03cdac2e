#!/usr/bin/env node
import { execute } from '@oclif/core'

await execute({ dir: import.meta.url })
// The command has ended; a handle that something forgot must not keep the process.
setTimeout(() => process.exit(), 2000).unref()
