import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import {
  applyUpdate,
  confirmRelease,
  currentRelease,
  findOffer,
  layoutOf,
  readState,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import { verifyRelease } from '../../src/autoupdate/verify-release.js'
import { ReleaseRepository } from '../support/release-repository.js'
import { GAUNTLET_SCALE } from './scale.js'
import { drawsOf } from './seed.js'
import { startTally } from './tally.js'

// F20: an update killed at any moment leaves a complete, signed, committed version that starts.
// a kill takes seconds, so a scaled run does fewer than its share
const KILLS = 2 * Math.max(3, Math.round(500 * GAUNTLET_SCALE ** 1.3))
const launcher = fileURLToPath(new URL('../../deploy/launcher.mjs', import.meta.url))

async function install(context: UpdateContext): Promise<void> {
  const offer = await findOffer(context)
  if (offer.kind !== 'available') throw new Error(`nothing to install: ${JSON.stringify(offer)}`)
  await applyUpdate(context, offer.verified, launcher)
}

/** Starts the launcher, waits until a committed release runs, and stops. @returns the version that ran. */
async function startOnce(context: UpdateContext): Promise<string> {
  const mark = join(context.layout.root, 'ran')
  rmSync(mark, { force: true })
  const child: ChildProcess = spawn(process.execPath, [context.layout.launcher, 'validator', 'start'], {
    stdio: 'ignore',
    env: { ...process.env, TARGON_TEST_PAUSE_MS: '5' },
  })
  const exited = once(child, 'exit')
  for (;;) {
    const state = await readState(context.layout)
    const settled = state.state === 'committed' && existsSync(mark)
    if (settled && readFileSync(mark, 'utf8') === (await currentRelease(context.layout))) break
    if (child.exitCode !== null) throw new Error(`the launcher ended with ${child.exitCode}`)
    await context.clock.sleep(20)
  }
  const version = readFileSync(mark, 'utf8')
  child.kill('SIGTERM')
  await exited
  return version
}

/**
 * Updates a copy of the machine in a separate process and kills it after `killAfterMs`, counted from the first step of the
 * update so that start-up time is excluded.
 *
 * @returns how long it ran, and whether it was killed before it finished.
 */
async function runWorker(
  context: UpdateContext,
  root: string,
  killAfterMs?: number,
): Promise<{ readonly ranMs: number; readonly isKilled: boolean }> {
  rmSync(root, { recursive: true, force: true })
  cpSync(context.layout.root, root, { recursive: true, verbatimSymlinks: true })
  const { url, signersFile, clock } = context
  const places = JSON.stringify({ root, url, signersFile, runningVersion: '1.0.0', launcher })
  const child = spawn(process.execPath, [inject('scripts')['update-worker'], places], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const exited = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), exited])
  const start = clock.monotonic()
  if (killAfterMs !== undefined) {
    await Promise.race([clock.sleep(killAfterMs), exited])
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  await exited
  return { ranMs: clock.monotonic() - start, isKilled: child.signalCode !== null }
}

describe(`an updater killed at ${KILLS} random moments`, () => {
  it('always leaves a complete, signed version that starts (F20)', { timeout: 3_600_000 }, async ({
    task,
  }) => {
    const tally = startTally(task, { fault: 'F20', kind: 'kill -9 of an updater', full: 1000, isDrawn: true })
    const good = new ReleaseRepository()
    const bad = new ReleaseRepository()
    const machines: { context: UpdateContext; behaviour: 'good' | 'crash' }[] = []
    for (const [repository, behaviour] of [
      [good, 'good'],
      [bad, 'crash'],
    ] as const) {
      await repository.release('1.0.0')
      const context = repository.context()
      await install(context)
      await confirmRelease(context.layout, '1.0.0')
      await repository.release('1.0.1', behaviour)
      machines.push({ context, behaviour })
    }
    const ran = new Map<string, number>()
    // both machines at once, because a kill takes seconds, mostly spent on starting processes
    const killing = machines.map(async ({ context, behaviour }) => {
      const draws = drawsOf(`update ${behaviour}`)
      const root = join(good.folder, behaviour)
      // the estimate follows the load of the machine
      let wholeMs = (await runWorker(context, root)).ranMs
      for (let kills = 0; kills < KILLS / 2; ) {
        const killAfterMs = draws.next() * wholeMs * 1.1
        const { ranMs, isKilled } = await runWorker(context, root, killAfterMs)
        if (!isKilled) wholeMs = (wholeMs + ranMs) / 2
        else if (killAfterMs > wholeMs) wholeMs *= 1.1
        const version = await startOnce({ ...context, layout: layoutOf(root) })
        if (behaviour === 'crash') expect(version).toBe('1.0.0')
        expect(await verifyRelease({ ...context, layout: layoutOf(root) }, `v${version}`)).toMatchObject({
          version,
        })
        const executed = new Set(readFileSync(join(root, 'executed'), 'utf8').trim().split('\n'))
        expect([...executed].filter((one) => one !== '1.0.0' && one !== '1.0.1')).toEqual([])
        const key = `${behaviour}, ${isKilled ? 'killed' : 'whole'}: ${version}`
        ran.set(key, (ran.get(key) ?? 0) + 1)
        if (!isKilled) continue
        kills++
        tally.count++
      }
    })
    await Promise.all(killing)
    console.log(Object.fromEntries(ran))
    const killed = [...ran].filter(([key]) => key.includes('killed'))
    expect(killed.reduce((sum, [, count]) => sum + count, 0)).toBe(KILLS)
  })
})
