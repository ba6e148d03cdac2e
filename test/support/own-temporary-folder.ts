import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const OWNER = 'TARGON_TEST_TEMPORARY_FOLDER'

/** Caches of Node.js and tsx, and what files of a run share. */
const CACHES = /^(node-compile-cache|tsx-\d+|once-.*)$/

/** A file system in memory, where durable writes cost nothing. Containers often have a small one that runs no program. */
const MEMORY = '/dev/shm'
const NEEDED_BYTES = 4 * 2 ** 30

/** Gives the run a temporary folder of its own and fails the run if tests leave anything there. */
export function setup(): (() => void) | undefined {
  if (process.env[OWNER] !== undefined) return undefined
  const folder = makeFolder()
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

/** The path is short, because the path of a socket may have at most 107 bytes. */
function makeFolder(): string {
  const inMemory = hasRoomInMemory() ? mkdtempSync(join(MEMORY, 'tt-')) : undefined
  if (inMemory !== undefined && runsPrograms(inMemory)) return inMemory
  if (inMemory !== undefined) rmSync(inMemory, { recursive: true })
  return mkdtempSync(join(tmpdir(), 'tt-'))
}

function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return process.env.TMPDIR === undefined && bavail * bsize >= NEEDED_BYTES
  } catch {
    return false
  }
}

function runsPrograms(folder: string): boolean {
  const program = join(folder, 'once-probe')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
  return spawnSync(program).status === 0
}
