import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { currentRelease, findOffer, readState, rollBackTo, runUpdate } from '../../src/autoupdate/index.js'
import { onFrozenTerminal } from '../support/frozen-terminal.js'
import {
  endedWell,
  forget,
  killLaunched,
  launch,
  machineWith,
  ran,
  until,
  untilRan,
} from '../support/launched-machine.js'
import { ReleaseRepository } from '../support/release-repository.js'

afterEach(killLaunched)

describe('the launcher', () => {
  it('starts a release on probation, which becomes healthy and is committed', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    const launched = launch(context)
    expect(await until(context, (state) => state.state === 'committed')).toMatchObject({ highest: '1.0.0' })
    launched.stop()
    expect(await launched.exit).toBe(0)
    expect(ran(context)).toBe('1.0.0')
  })

  it('starts the new release when a role exits with 75', async () => {
    const repository = new ReleaseRepository()
    const context = repository.context()
    await repository.release('1.0.0', 'restarts')
    await runUpdate(context, { dryRun: false })
    const launched = launch(context)
    await until(context, ({ committed }) => committed.includes('1.0.0'))
    await repository.release('1.0.1')
    await runUpdate(context, { dryRun: false })
    // the launcher checks five times a second and must leave the running release alone
    await context.clock.sleep(600)
    expect(ran(context)).toBe('1.0.0')
    writeFileSync(join(context.layout.root, 'go'), '')
    await until(context, ({ committed }) => committed.includes('1.0.1'))
    expect(ran(context)).toBe('1.0.1')
    expect(endedWell(context)).toEqual(['1.0.0'])
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('does not count a clean stop of a release on probation as a failed start', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'slow-proof'])
    for (let stops = 0; stops < 4; stops++) {
      forget(context)
      const launched = launch(context)
      await untilRan(context, '1.0.1')
      launched.stop()
      expect(await launched.exit).toBe(0)
      expect(await readState(context.layout)).toMatchObject({ to: '1.0.1', attempts: 0, deadline: null })
    }
  })

  it('restarts the probation time when the release is ready, without writing the state', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'slow-proof'])
    forget(context)
    const launched = launch(context)
    await untilRan(context, '1.0.1')
    const { state } = context.layout
    // the deadline counted from its start passes
    writeFileSync(state, JSON.stringify({ ...(await readState(context.layout)), deadline: Date.now() }))
    const written = readFileSync(state, 'utf8')
    await context.clock.sleep(600)
    expect(readFileSync(state, 'utf8')).toBe(written)
    writeFileSync(join(context.layout.root, 'proof'), '')
    await until(context, ({ committed }) => committed.includes('1.0.1'))
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('rolls back a release that is ready but not healthy by the deadline', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'slow-proof'])
    forget(context)
    const launched = launch(context, 5, 1500)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    await untilRan(context, '1.0.0')
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('rolls back after three crashes, and the release is not offered again', async () => {
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

  it('rolls back a release that hangs at the deadline', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'hang'])
    const state = await readState(context.layout)
    if (state.state !== 'probation') throw new Error('not on probation')
    writeFileSync(context.layout.state, JSON.stringify({ ...state, deadline: Date.now() + 800 }))
    forget(context)
    const launched = launch(context)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    await untilRan(context, '1.0.0')
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('completes a switch that was interrupted between state and link', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    const { linkRelease } = await import('../../src/autoupdate/switch-release.js')
    await linkRelease(context.layout, '1.0.0')
    const launched = launch(context)
    await until(context, (state) => state.state === 'committed')
    expect(ran(context)).toBe('1.0.1')
    launched.stop()
    await launched.exit
  })

  it.skipIf(!onFrozenTerminal)('rolls back and stops although its terminal is not read', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    forget(context)
    const launched = launch(context, 5, undefined, onFrozenTerminal)
    await untilRan(context, '1.0.0')
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('exits 78 when the first release fails and there is nothing to roll back to', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    expect(await launch(context).exit).toBe(78)
    expect((await readState(context.layout)).bad).toEqual(['1.0.0'])
  })

  it('exits 78 when the current slot is incomplete', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    rmSync(join(context.layout.releases, '1.0.0', 'COMPLETE'))
    expect(await launch(context).exit).toBe(78)
    expect(existsSync(join(context.layout.root, 'ran'))).toBe(false)
  })

  it('allows a rollback by command to a committed version only', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    expect(await rollBackTo(context.layout, '1.0.0')).toBe(true)
    expect(await readState(context.layout)).toMatchObject({
      state: 'committed',
      highest: '1.0.0',
      bad: ['1.0.1'],
    })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
    expect(await rollBackTo(context.layout, '0.1.0')).toBe(false)
  })

  it('counts the probation time from the first start, not from the update', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'hang'])
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', attempts: 0, deadline: null })
    const before = Date.now()
    const launched = launch(context)
    const state = await until(context, (one) => one.state === 'probation' && one.attempts === 1)
    expect(state.state === 'probation' && state.deadline).toBeGreaterThanOrEqual(before + 14 * 60_000)
    launched.stop()
    await launched.exit
  })

  it('rolls back at once when the slot on probation is damaged', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    rmSync(join(context.layout.releases, '1.0.1', 'COMPLETE'))
    forget(context)
    const launched = launch(context)
    await until(context, ({ bad }) => bad.includes('1.0.1'))
    await untilRan(context, '1.0.0')
    launched.stop()
    expect(await launched.exit).toBe(0)
  })

  it('exits 78 when the release on probation crashes and the previous slot is missing', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    rmSync(join(context.layout.releases, '1.0.0'), { recursive: true })
    expect(await launch(context).exit).toBe(78)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: ['1.0.1'] })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('exits 78 when the previous release crashes after a rollback as well, and with its status otherwise', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'crash'])
    const program = join(context.layout.releases, '1.0.0', 'bin', 'run.js')
    writeFileSync(program, 'process.exit(9)')
    expect(await launch(context).exit).toBe(78)
    expect(await launch(context).exit).toBe(9)
  })

  it('does not mark a release as failed when neither it nor the previous one reaches the chain', async () => {
    const context = await machineWith(['1.0.0', 'good'], ['1.0.1', 'good'])
    const { root, releases, state } = context.layout
    writeFileSync(join(releases, '1.0.0', 'bin', 'run.js'), 'process.exit(69)')
    const [ended, waiting] = [join(root, 'ended'), join(root, 'waiting')]
    writeFileSync(
      join(releases, '1.0.1', 'bin', 'run.js'),
      `import('node:fs').then(({ existsSync, writeFileSync }) => {
        const isFirst = !existsSync(${JSON.stringify(ended)})
        writeFileSync(isFirst ? ${JSON.stringify(ended)} : ${JSON.stringify(waiting)}, '')
        if (isFirst) process.exit(69)
        setInterval(() => {}, 1000)
      })`,
    )
    const launched = launch(context)
    while (!existsSync(waiting)) await context.clock.sleep(25)
    writeFileSync(state, JSON.stringify({ ...(await readState(context.layout)), deadline: Date.now() }))
    expect(await launched.exit).toBe(69)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: [] })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('starts the current release when update.json is damaged, and does not overwrite the file', async () => {
    const context = await machineWith(['1.0.0', 'good'])
    writeFileSync(context.layout.state, '{"state":"prob')
    const launched = launch(context)
    while (!existsSync(join(context.layout.root, 'ran'))) await context.clock.sleep(25)
    launched.stop()
    expect(await launched.exit).toBe(1)
    expect(readFileSync(context.layout.state, 'utf8')).toBe('{"state":"prob')
  })
})
