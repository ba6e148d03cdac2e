import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { scaled } from './scale.js'

/** A mount of one's own needs a namespace of one's own, which some containers forbid. */
const canMount =
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt']).status === 0

const canInject = spawnSync('strace', ['-e', 'inject=fsync:error=EIO:when=3..4', 'true']).status === 0

interface Outcome {
  readonly faults: readonly string[]
  readonly alarms: number
}

const OWN_MOUNTS = ['unshare', '-rm']
/** One thread for files, so that its calls are counted in one place. */
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

describe.skipIf(!canMount)('a disk that takes nothing (skipped where unshare may not mount)', () => {
  test.each(['full', 'read-only'] as const)(
    'when it is %s: scores go on in memory with an alarm, nothing acknowledged is lost, and it goes on once the disk does',
    async (kind) => {
      const runs = scaled(100, 5)
      expect(await saveOn(kind, runs)).toEqual({ faults: [], alarms: runs })
    },
  )

  test('the same check fails for a file written in place', async () => {
    const { faults } = await saveOn('full', 1, 'in-place')
    expect(faults).toContain('run 1: what was acknowledged is there')
  })
})

test.skipIf(!canInject)(
  'a disk that fails to sync (skipped without strace): nothing acknowledged is lost, and it goes on once the disk does',
  async () => {
    for (let run = 0; run < scaled(100); run++)
      expect(await saveOn('failing', 1, 'atomic', FAILING_SYNC)).toEqual({ faults: [], alarms: 1 })
  },
)
