import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { openScoreFile } from '../../src/scoring/index.js'
import { scaled } from './scale.js'
import { drawsOf } from './seed.js'
import { startTally } from './tally.js'

/** @returns the last block the writer acknowledged before it was killed. */
async function writeUntilKilled(path: string, afterMs: number, way = 'atomic'): Promise<number> {
  const child = spawn(process.execPath, [inject('scripts')['score-writer'], path, way], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      output += text
      if (output.includes('ready')) resolve()
    })
  })
  await ready
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await once(child, 'close')
  return Number(
    output
      .trim()
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .at(-1) ?? 0,
  )
}

test('F12: kill -9 at random points never tears the score book, loses no acknowledged save and leaves no temporary files', async ({
  task,
}) => {
  const tally = startTally(task, {
    fault: 'F12',
    kind: 'kill -9 while saving scores',
    full: 1000,
    isDrawn: true,
  })
  const draws = drawsOf('scores')
  const folder = await mkdtemp(join(tmpdir(), 'targon-kill-'))
  const path = join(folder, 'cache.json')
  try {
    let known = 0
    for (; tally.count < scaled(tally.full, 1, 10); tally.count++) {
      known = Math.max(known, await writeUntilKilled(path, draws.next() * 60))
      const loaded = await openScoreFile(path).load()
      const block = loaded.kind === 'book' ? loaded.data.block : 0
      expect(block).toBeGreaterThanOrEqual(known)
      known = block
      expect((await readdir(folder)).filter((name) => !/^cache\.json(\.previous)?$/.test(name))).toEqual([])
    }
    expect(known).toBeGreaterThan(0)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 3_600_000)

test('F12 control: a file written in place, as in 4.4.1, is torn', async () => {
  const draws = drawsOf('scores in place')
  const folder = await mkdtemp(join(tmpdir(), 'targon-kill-'))
  const path = join(folder, 'cache.json')
  try {
    let torn = 0
    for (let run = 0; run < 100 && torn === 0; run++) {
      const known = await writeUntilKilled(path, draws.next() * 60, 'in-place')
      const loaded = await openScoreFile(path).load()
      if (loaded.kind !== 'book' || loaded.data.block < known) torn++
    }
    expect(torn).toBe(1)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 600_000)
