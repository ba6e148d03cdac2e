import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { expect, inject, test } from 'vitest'
import { openHistory, results } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { scaled } from './scale.js'

/** @returns how many rows the writer had confirmed as written before it was killed. */
async function writeUntilKilled(
  folder: string,
  first: number,
  since: 'started' | 'written',
  killAfterMs: number,
): Promise<number> {
  const child = spawn(process.execPath, [inject('scripts')['history-writer'], folder, String(first)], {
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
async function readRounds(folder: string): Promise<number[]> {
  const stop = new AbortController()
  const history = openHistory({
    place: { folder },
    clock: systemClock,
    log: pino({ level: 'silent' }),
    retentionMs: 100 * 365 * 86_400_000,
    signal: stop.signal,
  })
  try {
    const rows = await history.read((database) => database.select({ round: results.round }).from(results))
    return rows.map(({ round }) => round).sort((a, b) => a - b)
  } finally {
    stop.abort()
    await history.close()
  }
}

test('the embedded history keeps every confirmed row through kill -9, also during its creation', async () => {
  let written = 0
  for (let run = 0; run < scaled(60); run++) {
    const folder = await mkdtemp(join(tmpdir(), 'targon-history-kill-'))
    try {
      const place = join(folder, 'history')
      // the first kill may hit the creation of the database, the second its opening and writing
      let known = await writeUntilKilled(place, 0, 'started', Math.random() * 5000)
      known = Math.max(known, await writeUntilKilled(place, known, 'written', Math.random() * 2000))
      const rounds = new Set(await readRounds(place))
      const missing = Array.from({ length: known }, (_, round) => round).filter((round) => !rounds.has(round))
      expect(missing).toEqual([])
      written += known
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  expect(written).toBeGreaterThan(0)
}, 3_600_000)
