import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  applyUpdate,
  confirmRelease,
  currentRelease,
  findOffer,
  layoutOf,
  readState,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import { ReleaseRepository } from '../support/release-repository.js'

// F20: whatever happens to an update, the next start runs a complete, signed, committed version.
const SCALE = Number(process.env.GAUNTLET_SCALE ?? '1')
// a kill takes seconds: the small run takes fewer than its share
const KILLS = Math.max(8, Math.round(1000 * SCALE ** 1.2))
const launcher = fileURLToPath(new URL('../../deploy/launcher.mjs', import.meta.url))
const worker = fileURLToPath(new URL('../support/update-worker.ts', import.meta.url))

async function install(context: UpdateContext): Promise<void> {
  const offer = await findOffer(context)
  if (offer.kind !== 'available') throw new Error(`nothing to install: ${JSON.stringify(offer)}`)
  await applyUpdate(context, offer.verified, launcher)
}

/** Starts through the launcher, waits until something ran, stops. @returns the version that ran. */
async function startOnce(context: UpdateContext): Promise<string> {
  const mark = join(context.layout.root, 'ran')
  rmSync(mark, { force: true })
  const child: ChildProcess = spawn(process.execPath, [context.layout.launcher, 'validator', 'start'], {
    stdio: 'ignore',
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
 * Updates a copy of the machine in a process of its own, killed after `killAfterMs`. The loader's start is no moment of
 * an update: time counts from its first step.
 *
 * @returns how long it ran.
 */
async function runWorker(
  context: UpdateContext,
  root: string,
  killAfterMs: number | undefined,
): Promise<number> {
  rmSync(root, { recursive: true, force: true })
  cpSync(context.layout.root, root, { recursive: true, verbatimSymlinks: true })
  const { url, signersFile, clock } = context
  const places = JSON.stringify({ root, url, signersFile, ownVersion: '1.0.0', launcher })
  const child = spawn(process.execPath, ['--import', 'tsx', worker, places], {
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
  return clock.monotonic() - start
}

describe(`an updater killed at ${KILLS} random moments`, () => {
  it('always leaves a complete, signed version that starts', { timeout: 3_600_000 }, async () => {
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
    const root = join(good.folder, 'killed')
    const wholeMs = await runWorker(machines[0]?.context ?? good.context(), root, undefined)
    for (let kill = 0; kill < KILLS; kill++) {
      const machine = machines[kill % 2]
      if (!machine) continue
      await runWorker(machine.context, root, Math.random() * wholeMs * 1.2)
      const version = await startOnce({ ...machine.context, layout: layoutOf(root) })
      if (machine.behaviour === 'crash') expect(version).toBe('1.0.0')
      const key = `${machine.behaviour} ${version}`
      ran.set(key, (ran.get(key) ?? 0) + 1)
    }
    console.log(Object.fromEntries(ran))
    expect([...ran.values()].reduce((sum, count) => sum + count, 0)).toBe(KILLS)
  })
})

describe('a full disk (needs the right to mount)', () => {
  const folder = '/tmp/targon-full-disk'
  const mounted = tryMount(folder)
  afterAll(() => {
    if (mounted) execFileSync('umount', [folder])
  })
  let repository: ReleaseRepository

  beforeAll(async () => {
    repository = new ReleaseRepository()
    repository.write('pad', 'x'.repeat(4 << 20))
    await repository.release('1.0.0')
  })

  it.skipIf(!mounted)('is told, leaves no partial release and nothing to start by mistake', async () => {
    const context = repository.context({ layout: layoutOf(join(folder, 'root')) })
    mkdirSync(context.layout.root)
    await expect(install(context)).rejects.toThrow(/space|write/i)
    expect(await currentRelease(context.layout)).toBeUndefined()
    expect((await readState(context.layout)).state).toBe('committed')
    expect(existsSync(join(context.layout.releases, '1.0.0'))).toBe(false)
  })
})

/** A two-megabyte file system; needs to be allowed to mount. */
function tryMount(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
