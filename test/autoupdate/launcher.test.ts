import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  applyUpdate,
  confirmRelease,
  currentRelease,
  findOffer,
  layoutOf,
  readState,
  returnTo,
  runUpdate,
  type UpdateContext,
  type UpdateState,
} from '../../src/autoupdate/index.js'
import { systemClock } from '../../src/clock.js'
import { type Behaviour, ReleaseRepository } from '../support/release-repository.js'

const launcherSource = new URL('../../deploy/launcher.mjs', import.meta.url).pathname
const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** @param pauseMs unit of the pauses between the starts of a release on trial, a second outside of tests. */
function launch(context: UpdateContext, pauseMs = 5): { exit: Promise<number | null>; stop: () => void } {
  const child = spawn(process.execPath, [context.layout.launcher, 'validator', 'start'], {
    stdio: 'ignore',
    env: { ...process.env, TARGON_TEST_PAUSE_MS: String(pauseMs) },
  })
  running.push(child)
  return {
    exit: once(child, 'exit').then(([code]) => code as number | null),
    stop: () => child.kill('SIGTERM'),
  }
}

/** Machines are made once and copied: making releases takes most of the time. */
const prepared = new Map<string, Promise<UpdateContext>>()

async function copyOf(key: string, make: () => Promise<UpdateContext>): Promise<UpdateContext> {
  const made = prepared.get(key) ?? make()
  prepared.set(key, made)
  const context = await made
  const root = mkdtempSync(`${context.layout.root}-copy-`)
  cpSync(context.layout.root, root, { recursive: true, verbatimSymlinks: true })
  return { ...context, layout: layoutOf(root) }
}

function machineWith(...releases: [string, Behaviour][]): Promise<UpdateContext> {
  return copyOf(JSON.stringify(releases), () => makeMachine(...releases))
}

async function makeMachine(...releases: [string, Behaviour][]): Promise<UpdateContext> {
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

/** Waits until a version has been started since `forget`. */
async function untilRan(context: UpdateContext, version: string): Promise<void> {
  while (!existsSync(join(context.layout.root, 'ran')) || ran(context) !== version)
    await context.clock.sleep(25)
}

const forget = (context: UpdateContext) => rmSync(join(context.layout.root, 'ran'), { force: true })

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
    forget(context)
    const launched = launch(context)
    expect(await until(context, (state) => state.bad.includes('1.0.1'))).toMatchObject({ highest: '1.0.0' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
    await untilRan(context, '1.0.0')
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
    forget(context)
    const launched = launch(context)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    await untilRan(context, '1.0.0')
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

  it('counts the time of a trial from its first start, not from the update', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'hang'])
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', attempts: 0, deadline: null })
    const before = Date.now()
    const launched = launch(context)
    const state = await until(context, (one) => one.state === 'probation' && one.attempts === 1)
    expect(state.state === 'probation' && state.deadline).toBeGreaterThanOrEqual(before + 14 * 60_000)
    launched.stop()
    await launched.exit
  })

  it('goes back at once from a release on trial whose slot is damaged', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    rmSync(join(context.layout.releases, '1.0.1', 'COMPLETE'))
    forget(context)
    const launched = launch(context)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    await untilRan(context, '1.0.0')
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('exits 78 when both are broken: the one on trial crashes and the one before has lost its slot', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    rmSync(join(context.layout.releases, '1.0.0'), { recursive: true })
    expect(await launch(context).exit).toBe(78)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: ['1.0.1'] })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('exits 78 when the one gone back to crashes as well, and its status when it crashes by itself', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    const program = join(context.layout.releases, '1.0.0', 'bin', 'run.js')
    writeFileSync(program, 'process.exit(9)')
    expect(await launch(context).exit).toBe(78)
    expect(await launch(context).exit).toBe(9)
  })

  it('starts the current release when update.json is damaged, and leaves the file for a human', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    writeFileSync(context.layout.state, '{"state":"prob')
    const launched = launch(context)
    while (!existsSync(join(context.layout.root, 'ran'))) await context.clock.sleep(25)
    launched.stop()
    expect(await launched.exit).toBe(1)
    expect(readFileSync(context.layout.state, 'utf8')).toBe('{"state":"prob')
  })
})

/** Starts of a version so far, its self-test included. */
function startsOf(context: UpdateContext, version: string): number {
  const executed = readFileSync(join(context.layout.root, 'executed'), 'utf8').trim().split('\n')
  return executed.filter((one) => one === version).length
}

const chainOf = (context: UpdateContext) => join(context.layout.root, 'chain')

/** A machine on which 1.0.0, which needs the chain, is committed and 1.0.1 of this behaviour on trial. */
function machineWithChain(behaviour: Behaviour): Promise<UpdateContext> {
  return copyOf(behaviour, () => makeMachineWithChain(behaviour))
}

async function makeMachineWithChain(behaviour: Behaviour): Promise<UpdateContext> {
  const repository = new ReleaseRepository()
  const context = repository.context()
  await repository.release('1.0.0', 'needs-chain')
  await runUpdate(context, { dryRun: false })
  await confirmRelease(context.layout, '1.0.0')
  await repository.release('1.0.1', behaviour)
  await runUpdate(context, { dryRun: false })
  return context
}

async function shortenTrial({ layout }: UpdateContext, ms: number): Promise<void> {
  writeFileSync(layout.state, JSON.stringify({ ...(await readState(layout)), deadline: Date.now() + ms }))
}

describe('what is not the fault of a release on trial', () => {
  it('a chain that is away for a while uses up no attempt', async () => {
    const context = await machineWithChain('needs-chain')
    const launched = launch(context)
    while (startsOf(context, '1.0.1') < 1 + 5) await context.clock.sleep(20)
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.1' })
    writeFileSync(chainOf(context), '')
    await until(context, ({ committed }) => committed.includes('1.0.1'))
    launched.stop()
    await launched.exit
    expect((await readState(context.layout)).bad).toEqual([])
  })

  it('a chain that stays away ends the trial at its deadline, and nobody is blamed', async () => {
    const context = await machineWithChain('needs-chain')
    await shortenTrial(context, 1500)
    expect(await launch(context).exit).toBe(3)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: [] })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('but settings that only the new release refuses are: it is left after three starts', async () => {
    const context = await machineWithChain('refuses-settings')
    writeFileSync(chainOf(context), '')
    const launched = launch(context)
    await untilRan(context, '1.0.0')
    expect(startsOf(context, '1.0.1')).toBe(1 + 3)
    expect((await readState(context.layout)).bad).toEqual(['1.0.1'])
    launched.stop()
    expect(await launched.exit).toBe(0)
  })
})

describe('between the starts of a release on trial', () => {
  it('the launcher waits, longer each time', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    const before = performance.now()
    expect(await launch(context, 300).exit).toBe(78)
    expect(performance.now() - before).toBeGreaterThan((1 + 5) * 300)
  })

  it('a signal ends the wait', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    const launched = launch(context, 3_600_000)
    await until(context, (state) => state.state === 'probation' && state.attempts === 1)
    while (startsOf(context, '1.0.0') < 2) await context.clock.sleep(20)
    launched.stop()
    expect([1, 143]).toContain(await launched.exit)
  })
})

/** A program that says which signals it gets, and drains on the first. */
const LISTENER = `import { appendFileSync } from 'node:fs'
const note = (text) => appendFileSync(process.env.NOTES, text + '\\n')
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => { note(signal); if (signal !== 'SIGHUP') setTimeout(() => process.exit(0), 200) })
note([process.env.TARGON_LAUNCHED, process.env.TARGON_UPDATE_ROOT, ...process.argv.slice(2)].join(' '))
process.send('ready')
setInterval(() => {}, 1000)
`

describe('the launcher of a checkout', () => {
  function checkout() {
    const folder = mkdtempSync(join(tmpdir(), 'targon-checkout-'))
    for (const name of ['deploy', 'bin']) mkdirSync(join(folder, name))
    cpSync(launcherSource, join(folder, 'deploy', 'launcher.mjs'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'bin', 'run.js'), LISTENER)
    const notes = join(folder, 'notes')
    const child = spawn(process.execPath, [join(folder, 'deploy', 'launcher.mjs'), 'miner', 'start'], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env.PATH, NOTES: notes, TARGON_UPDATE_ROOT: join(folder, 'root') },
    })
    running.push(child)
    const noted = () => readFileSync(notes, 'utf8').trim().split('\n')
    return { folder, child, noted, ready: once(child, 'message') }
  }

  it('runs the checkout until a release is installed, tells it so, and passes its message on', async () => {
    const { folder, child, noted, ready } = checkout()
    expect((await ready)[0]).toBe('ready')
    expect(noted()).toEqual([`true ${join(folder, 'root')} miner start`])
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'forwards %s, once, and ends with the status of the drain',
    async (signal) => {
      const { child, noted, ready } = checkout()
      await ready
      child.kill('SIGHUP')
      while (noted().length < 2) await systemClock.sleep(20)
      child.kill(signal)
      expect((await once(child, 'exit'))[0]).toBe(0)
      expect(noted().slice(1)).toEqual(['SIGHUP', signal])
    },
  )
})
