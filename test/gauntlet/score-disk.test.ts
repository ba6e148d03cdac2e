import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { scaled } from './scale.js'
import { startTally } from './tally.js'

/** Mounting needs a mount namespace, which some containers forbid. */
const canMount =
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt']).status === 0

const canInject = spawnSync('strace', ['-e', 'inject=fsync:error=EIO:when=3..4', 'true']).status === 0

interface Outcome {
  readonly faults: readonly string[]
  readonly alarms: number
}

const OWN_MOUNTS = ['unshare', '-rm']
/** One file-system thread, so that strace counts its calls in one place. */
const FAILING_SYNC = [
  ...['env', 'UV_THREADPOOL_SIZE=1', 'strace', '-f', '-qqq', '-o', '/dev/null'],
  ...['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=3..4'],
]

async function saveOn(
  kind: 'full' | 'read-only' | 'failing',
  runs: number,
  way = 'atomic',
  [program = '', ...before] = OWN_MOUNTS,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-disk-'))
  try {
    const child = spawn(
      program,
      [...before, process.execPath, inject('scripts')['score-disk'], folder, kind, String(runs), way],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let output = ''
    child.stdout.on('data', (text) => {
      output += text
    })
    await once(child, 'close')
    return JSON.parse(output) as Outcome
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.skipIf(!canMount)('a disk that rejects writes (skipped where unshare may not mount)', () => {
  test.for(['full', 'read-only'] as const)(
    '%s: scores are kept in memory with an alarm, no acknowledged save is lost, and saving resumes with the disk',
    async (kind, { task }) => {
      const tally = startTally(task, { fault: 'F12', kind: `saves on a ${kind} disk`, full: 100 })
      const runs = scaled(tally.full, 5)
      expect(await saveOn(kind, runs)).toEqual({ faults: [], alarms: runs })
      tally.count = runs
    },
  )

  test('control: a file written in place loses an acknowledged save', async () => {
    const { faults } = await saveOn('full', 1, 'in-place')
    expect(faults).toContain('run 1: the acknowledged save is on disk')
  })
})

test.skipIf(!canInject)(
  'a disk that fails to sync (skipped without strace): no acknowledged save is lost, and saving resumes',
  async ({ task }) => {
    const tally = startTally(task, { fault: 'F12', kind: 'saves on a disk that fails to sync', full: 100 })
    for (; tally.count < scaled(tally.full); tally.count++)
      expect(await saveOn('failing', 1, 'atomic', FAILING_SYNC)).toEqual({ faults: [], alarms: 1 })
  },
)
