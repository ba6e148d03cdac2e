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

/** A machine with 1.0.0, which needs the chain, committed and 1.0.1 with this behaviour on probation. */
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

async function shortenProbation({ layout }: UpdateContext, ms: number): Promise<void> {
  writeFileSync(layout.state, JSON.stringify({ ...(await readState(layout)), deadline: Date.now() + ms }))
}

describe('a release on probation', () => {
  it('loses no attempt while the chain is unreachable', async () => {
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

  it('is rolled back at the deadline when the chain stays unreachable, without being marked as failed', async () => {
    const context = await machineWithChain('needs-chain')
    await shortenProbation(context, 5000)
    // the deadline passes between two starts, so that the release is not killed
    expect(await launch(context, 3_600_000).exit).toBe(3)
    expect(startsOf(context, '1.0.1')).toBe(1 + 1)
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: [] })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it('is marked as failed after three starts when only it rejects the settings', async () => {
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

describe('the pause between two starts on probation', () => {
  it('is ended by a signal', async () => {
    const context = await machineWith(['1.0.0', 'crash'])
    const launched = launch(context, 3_600_000)
    while (startsOf(context, '1.0.0') < 2) await context.clock.sleep(20)
    // without a pause it would have started again by now
    await context.clock.sleep(1500)
    expect(startsOf(context, '1.0.0')).toBe(2)
    launched.stop()
    expect(await launched.exit).toBe(1)
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', attempts: 1 })
  })
})
