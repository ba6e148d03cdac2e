import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import pino from 'pino'
import { expect, inject, test } from 'vitest'
import { openHistory } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { scaled } from './scale.js'
import { drawsOf } from './seed.js'
import { startTally } from './tally.js'

/** @returns how many rows the writer had confirmed as written before it was killed. */
async function writeUntilKilled(
  file: string,
  first: number,
  since: 'started' | 'written',
  killAfterMs: number,
): Promise<number> {
  const child = spawn(process.execPath, [inject('scripts')['history-writer'], file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      output += text
      if (since === 'started' ? output.includes('started') : /^\d+$/m.test(output)) resolve()
    })
  })
  await systemClock.sleep(killAfterMs)
  child.kill('SIGKILL')
  await once(child, 'close')
  const known = output.split('\n').filter((line) => /^\d+$/.test(line))
  return Number(known.at(-1) ?? first)
}

/** Reopens the database and reads the rounds in it. */
async function readRounds(file: string): Promise<number[]> {
  const stop = new AbortController()
  const history = openHistory({
    place: { file },
    clock: systemClock,
    log: pino({ level: 'silent' }),
    retentionMs: 100 * 365 * 86_400_000,
    signal: stop.signal,
  })
  try {
    const rows = await history.read(({ all }) => all<{ round: number }>(sql`select round from results`))
    return rows.map(({ round }) => round).sort((a, b) => a - b)
  } finally {
    stop.abort()
    await history.close()
  }
}

test('the embedded history keeps every confirmed row through kill -9, also during its creation', async ({
  task,
}) => {
  const tally = startTally(task, {
    fault: 'F35',
    kind: 'kill -9 of a history writer',
    full: 120,
    isDrawn: true,
  })
  const draws = drawsOf('history')
  let written = 0
  while (tally.count < scaled(tally.full, 2)) {
    const folder = await mkdtemp(join(tmpdir(), 'targon-history-kill-'))
    try {
      const place = join(folder, 'history.sqlite')
      // the first kill may hit the creation of the database, the second its opening and writing
      let known = await writeUntilKilled(place, 0, 'started', draws.next() * 500)
      known = Math.max(known, await writeUntilKilled(place, known, 'written', draws.next() * 2000))
      const rounds = await readRounds(place)
      const found = new Set(rounds)
      const missing = Array.from({ length: known }, (_, round) => round).filter((round) => !found.has(round))
      expect(missing).toEqual([])
      expect(rounds.length).toBe(new Set(rounds).size)
      expect(await readdir(folder)).toEqual(['history.sqlite'])
      written += known
      tally.count += 2
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  expect(written).toBeGreaterThan(0)
}, 3_600_000)
