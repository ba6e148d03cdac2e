import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  confirmRelease,
  currentRelease,
  readState,
  runUpdate,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import {
  copyOf,
  killLaunched,
  launch,
  machineWith,
  startsOf,
  until,
  untilRan,
} from '../support/launched-machine.js'
import { type Behaviour, ReleaseRepository } from '../support/release-repository.js'

afterEach(killLaunched)

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
    await shortenTrial(context, 5000)
    // It passes between two starts: one killed while it starts would have ended in another way.
    expect(await launch(context, 3_600_000).exit).toBe(3)
    expect(startsOf(context, '1.0.1')).toBe(1 + 1)
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
  it('the launcher waits, and a signal ends the wait', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    const launched = launch(context, 3_600_000)
    while (startsOf(context, '1.0.0') < 2) await context.clock.sleep(20)
    // without a wait it would have started again by now
    await context.clock.sleep(1500)
    expect(startsOf(context, '1.0.0')).toBe(2)
    launched.stop()
    expect(await launched.exit).toBe(1)
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', attempts: 1 })
  })
})
