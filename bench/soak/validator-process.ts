import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Counts } from './counts.js'
import { plantLeak } from './plant.js'
import { readHoldings, type Sample, type Stored } from './sample.js'
import { startSoakValidator } from './soak-validator.js'

/** What the validator reports after every sixtieth of its rounds. */
export interface ValidatorReading {
  readonly sample: Sample
  readonly rounds: number
  readonly counts: Counts
}

/** Our validator, which plays its rounds by itself. Arguments: port of the miners; rounds; samples; minutes; bytes to keep of each answer. */
const [port = 0, rounds = 1, samples = 1, minutes = 1, plant = 0] = process.argv.slice(2).map(Number)
const MINUTE_MS = 60_000
/** Before the first sample, within this share of the time, so that a short run measures no compiler. */
const WARM_UP_ROUNDS = 200
const LEAST_WARM_UP_ROUNDS = 60
const WARM_UP_SHARE = 0.3

const folder = mkdtempSync(join(tmpdir(), 'soak-validator-'))
const stateDir = join(folder, 'state')
mkdirSync(stateDir)
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
process.once('SIGTERM', () => process.exit(0))

const stopping = new AbortController()
const { signal } = stopping
const soak = await startSoakValidator({ port, rounds, stateDir, signal, onAnswer: () => plantLeak(plant) })
const withinMs = minutes * MINUTE_MS
const warmUntil = performance.now() + withinMs * WARM_UP_SHARE
for (let round = 0; round < WARM_UP_ROUNDS; round++) {
  if (round >= LEAST_WARM_UP_ROUNDS && performance.now() > warmUntil) break
  await soak.playRound()
}
const each = Math.ceil(rounds / samples)
const warmAt = performance.now()
let played = 0
for (let number = 1; number <= samples; number++) {
  const endAt = warmAt + (withinMs * (1 - WARM_UP_SHARE) * number) / samples
  // at least one, so that every sample is of more work
  for (let round = 0; round < each && (round === 0 || performance.now() < endAt); round++) {
    await soak.playRound()
    played++
  }
  const holdings = await readHoldings(signal, stored)
  const reading: ValidatorReading = {
    ...{ sample: { work: soak.answers(), ...holdings }, rounds: played, counts: soak.counts },
  }
  process.send?.(reading)
}

function stored(): Stored {
  const bytes = { database: 0, files: 0 }
  for (const name of readdirSync(stateDir, { encoding: 'utf8', recursive: true })) {
    const status = statSync(join(stateDir, name), { throwIfNoEntry: false })
    if (status?.isFile()) bytes[name.startsWith('history.sqlite') ? 'database' : 'files'] += status.size
  }
  return bytes
}
