import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const OWNER = 'TARGON_TEST_TEMPORARY_FOLDER'

/** Caches of Node.js and tsx, and what files of a run share. */
const CACHES = /^(node-compile-cache|tsx-\d+|once-.*)$/

/** Gives the run a temporary folder of its own and fails the run if tests leave anything there. */
export function setup(): (() => void) | undefined {
  if (process.env[OWNER] !== undefined) return undefined
  // short, because the path of a socket may not be longer than 107 bytes
  const folder = mkdtempSync(join(tmpdir(), 'tt-'))
  process.env[OWNER] = folder
  process.env.TMPDIR = folder
  return () => {
    const left = readdirSync(folder).filter((name) => !CACHES.test(name))
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    if (left.length === 0) return
    process.exitCode = 1
    console.error(`Tests left these in the temporary folder; use temporaryFolder(): ${left.join(', ')}`)
  }
}
