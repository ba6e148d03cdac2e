import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { systemClock } from '../../src/kernel/clock.js'
import { openScores } from '../../src/roles/validator/scores/scores.js'
import { openScoreFile } from '../../src/scoring/index.js'
import { encodeScores } from '../../src/scoring/score-file.js'
import { neuronOf } from '../support/fake-subtensor.js'

/**
 * Saves scores on a small disk in its own mount namespace that fills up or becomes read-only; `failing` is an ordinary disk
 * whose third and fourth fsync fail, injected by strace.
 */
const [folder = '', kind = '', runs = '1', way = 'atomic'] = process.argv.slice(2)
if (kind !== 'failing') {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder])
  if (mounted.status !== 0) throw new Error(String(mounted.stderr))
}

const path = join(folder, 'cache.json')
const filler = join(folder, 'filler')
const lines: string[] = []
const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
const miners = Array.from({ length: 40 }, (_, uid) => neuronOf({ uid, hotkey: `5Miner${uid}` }))
const metagraph = {
  ...{ netuid: 4, block: 100, blockHash: '0x', neurons: miners, readAt: 0 },
  find: (hotkey: string) => miners.find((miner) => miner.hotkey === hotkey),
}
const scores = await openScores(path, metagraph, 360, { clock: systemClock, log })

function fill(): void {
  const file = openSync(filler, 'w')
  try {
    for (const size of [4096, 1]) for (;;) if (!tryWrite(file, size)) break
  } finally {
    closeSync(file)
  }
}

function tryWrite(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size
  } catch {
    return false
  }
}

function remount(option: 'ro' | 'rw'): void {
  const done = spawnSync('mount', ['-o', `remount,${option}`, folder])
  if (done.status !== 0) throw new Error(String(done.stderr))
}

const disk = {
  full: { break: fill, repair: () => rmSync(filler) },
  'read-only': { break: () => remount('ro'), repair: () => remount('rw') },
  failing: { break: () => {}, repair: () => {} },
}[kind]
if (!disk) throw new Error(`unknown kind of disk: ${kind}`)
const save =
  way === 'atomic' ? scores.save : () => writeFile(path, encodeScores(scores.book.toData())).catch(() => {})

async function blockOnDisk(): Promise<number | undefined> {
  const loaded = await openScoreFile(path).load()
  return loaded.kind === 'book' ? loaded.data.block : undefined
}

function record(block: number): void {
  for (const { hotkey } of miners) scores.book.record(hotkey, 'org/m', block, block)
}

const faults: string[] = []
const expectThat = (what: string, holds: boolean) => {
  if (!holds && faults.length < 20) faults.push(what)
}
for (let run = 1; run <= Number(runs); run++) {
  record(2 * run)
  await save()
  expectThat(`run ${run}: saves on a good disk`, (await blockOnDisk()) === 2 * run)
  expectThat(`run ${run}: ready on a good disk`, scores.trouble() === undefined)
  disk.break()
  record(2 * run + 1)
  await save()
  await save()
  expectThat(`run ${run}: not ready: ${scores.trouble()}`, /cannot be saved/.test(scores.trouble() ?? ''))
  expectThat(`run ${run}: keeps recording in memory`, scores.book.block === 2 * run + 1)
  disk.repair()
  expectThat(`run ${run}: the acknowledged save is on disk`, (await blockOnDisk()) === 2 * run)
  await save()
  expectThat(`run ${run}: saves on the repaired disk`, (await blockOnDisk()) === 2 * run + 1)
  expectThat(`run ${run}: ready again`, scores.trouble() === undefined)
  const left = readdirSync(folder).filter((name) => !/^cache\.json(\.previous)?$/.test(name))
  expectThat(`run ${run}: leaves no temporary files, found ${left.join()}`, left.length === 0)
}
const alarms = lines.filter((line) => line.includes('scores-save-failed')).length
writeFileSync(1, JSON.stringify({ faults, alarms }))
