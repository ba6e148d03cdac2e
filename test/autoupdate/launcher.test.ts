import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  applyUpdate,
  currentRelease,
  findOffer,
  readState,
  returnTo,
  type UpdateContext,
  type UpdateState,
} from '../../src/autoupdate/index.js'
import { type Behaviour, ReleaseRepository } from '../support/release-repository.js'

const launcherSource = new URL('../../deploy/launcher.mjs', import.meta.url).pathname
const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function launch(context: UpdateContext): { exit: Promise<number | null>; stop: () => void } {
  const child = spawn(process.execPath, [context.layout.launcher, 'validator', 'start'], { stdio: 'ignore' })
  running.push(child)
  return {
    exit: once(child, 'exit').then(([code]) => code as number | null),
    stop: () => child.kill('SIGTERM'),
  }
}

async function machineWith(...releases: [string, Behaviour][]): Promise<UpdateContext> {
  const repository = new ReleaseRepository()
  const context = repository.context()
  for (const [version, behaviour] of releases) {
    await repository.release(version, behaviour)
    const offer = await findOffer(context)
    if (offer.kind !== 'available') throw new Error(`no offer of ${version}`)
    await applyUpdate(context, offer.verified, launcherSource)
    if (behaviour === 'good' && version !== releases.at(-1)?.[0]) await prove(context, version)
  }
  return context
}

/** Runs the launcher until a version has been committed. */
async function prove(context: UpdateContext, version: string): Promise<void> {
  const launched = launch(context)
  await until(context, (state) => state.state === 'committed' && state.committed.includes(version))
  launched.stop()
  await launched.exit
}

async function until(context: UpdateContext, holds: (state: UpdateState) => boolean): Promise<UpdateState> {
  for (;;) {
    const state = await readState(context.layout)
    if (holds(state)) return state
    await context.clock.sleep(25)
  }
}

const ran = (context: UpdateContext) => readFileSync(join(context.layout.root, 'ran'), 'utf8')

describe('the launcher', () => {
  it('starts a release on trial, which proves itself and is committed', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    const launched = launch(context)
    expect(await until(context, (state) => state.state === 'committed')).toMatchObject({ highest: '1.0.0' })
    launched.stop()
    expect(await launched.exit).toBe(0)
    expect(ran(context)).toBe('1.0.0')
  })

  it('goes back after three starts of a release that crashes, and never offers it again', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    const launched = launch(context)
    expect(await until(context, (state) => state.bad.includes('1.0.1'))).toMatchObject({ highest: '1.0.0' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
    while (ran(context) !== '1.0.0') await context.clock.sleep(25)
    launched.stop()
    expect(await launched.exit).toBe(0)
    expect(await findOffer(context)).toMatchObject({
      refusal: { rule: 'known-bad' },
    })
  })

  it('goes back from a release that hangs when its deadline passes', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'hang'])
    const state = await readState(context.layout)
    if (state.state !== 'probation') throw new Error('not on trial')
    writeFileSync(context.layout.state, JSON.stringify({ ...state, deadline: Date.now() + 800 }))
    const launched = launch(context)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    while (ran(context) !== '1.0.0') await context.clock.sleep(25)
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('finishes a switch that was cut off between state and link', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    const { linkRelease } = await import('../../src/autoupdate/switch-release.js')
    await linkRelease(context.layout, '1.0.0')
    const launched = launch(context)
    await until(context, (state) => state.state === 'committed')
    expect(ran(context)).toBe('1.0.1')
    launched.stop()
    await launched.exit
  })

  it('exits 78 when the first release fails and there is nothing to go back to', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    expect(await launch(context).exit).toBe(78)
    expect((await readState(context.layout)).bad).toEqual(['1.0.0'])
  })

  it('exits 78 when the current slot is not complete', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    rmSync(join(context.layout.releases, '1.0.0', 'COMPLETE'))
    expect(await launch(context).exit).toBe(78)
    expect(existsSync(join(context.layout.root, 'ran'))).toBe(false)
  })

  it('rolls back by command to a version committed here', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    expect(await returnTo(context.layout, '1.0.0')).toBe(true)
    expect(await readState(context.layout)).toMatchObject({
      state: 'committed',
      highest: '1.0.0',
      bad: ['1.0.1'],
    })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
    expect(await returnTo(context.layout, '0.1.0')).toBe(false)
  })
})
