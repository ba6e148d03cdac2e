import { beforeAll, describe, expect, it } from 'vitest'
import {
  checkUpdate,
  confirmRelease,
  currentRelease,
  readState,
  rollBack,
  runUpdate,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()

/** A machine with these versions installed; all of them committed, or all but the last. */
async function machineWith(versions: readonly string[], isLastCommitted = true): Promise<UpdateContext> {
  const context = repository.context()
  for (const [index, requested] of versions.entries()) {
    await runUpdate(context, { requested, dryRun: false })
    if (isLastCommitted || index < versions.length - 1) await confirmRelease(context.layout, requested)
  }
  return context
}

beforeAll(async () => {
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) await repository.release(version)
})

describe('runUpdate', () => {
  it('plans without changing anything in a dry run', async () => {
    const context = repository.context()
    const signedBy = 'maintainer@example.org'
    expect(await checkUpdate(context)).toMatchObject({ kind: 'available', verified: { version: '1.2.0' } })
    expect(await runUpdate(context, { dryRun: true })).toEqual({
      ...{ kind: 'planned', from: '0.9.0', to: '1.2.0', signedBy, warnings: [] },
    })
    expect(await currentRelease(context.layout)).toBeUndefined()
  })

  it('refuses an update while another release is on probation', async () => {
    const context = await machineWith(['1.0.0'], false)
    await expect(runUpdate(context, { dryRun: false })).rejects.toMatchObject({
      code: 'UPDATE_ON_TRIAL',
      message: 'Release 1.0.0 is still on probation.',
    })
  })

  it('switches between committed versions without contacting the source', async () => {
    const context = { ...(await machineWith(['1.0.0', '1.1.0'])), url: '/nowhere.git' }
    const goTo = (requested: string) => runUpdate(context, { requested, dryRun: false })
    expect(await goTo('1.0.0')).toEqual({ kind: 'rolled-back', from: '1.1.0', to: '1.0.0' })
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: ['1.1.0'] })
    expect(await goTo('1.1.0')).toEqual({ kind: 'switched', from: '1.0.0', to: '1.1.0' })
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.1.0' })
  })
})

describe('rollBack', () => {
  it('goes from a release on probation to the one before it', async () => {
    const context = await machineWith(['1.0.0', '1.1.0'], false)
    expect(await rollBack(context)).toEqual({ kind: 'rolled-back', from: '1.1.0', to: '1.0.0' })
    expect(await currentRelease(context.layout)).toBe('1.0.0')
  })

  it.each([true, false])(
    'goes from the first release to the checkout (committed: %s)',
    async (isCommitted) => {
      const context = await machineWith(['1.0.0'], isCommitted)
      await expect(rollBack(context)).rejects.toMatchObject({
        code: 'UPDATE_NO_ROLLBACK',
        message: 'Release 1.0.0 is the first one here, and only its checkout is older.',
        next: expect.stringContaining(`update --rollback --update.root ${context.layout.root}`),
      })
      const checkout = '/opt/targon'
      expect(await rollBack({ ...context, checkout })).toEqual({
        ...{ kind: 'rolled-back-to-checkout', from: '1.0.0', checkout },
      })
      expect(await currentRelease(context.layout)).toBeUndefined()
      expect(await readState(context.layout)).toMatchObject({ state: 'committed', bad: ['1.0.0'] })
      await expect(rollBack({ ...context, checkout })).rejects.toMatchObject({
        code: 'UPDATE_NO_ROLLBACK',
        message: 'There is no earlier version to roll back to.',
      })
    },
  )

  it('goes to a requested version only when that was committed here', async () => {
    const context = await machineWith(['1.0.0', '1.1.0', '1.2.0'])
    await expect(rollBack(context, '0.9.0')).rejects.toMatchObject({
      code: 'UPDATE_NO_ROLLBACK',
      next: 'Versions committed here: 1.0.0, 1.1.0, 1.2.0.',
    })
    expect(await rollBack(context, '1.0.0')).toEqual({ kind: 'rolled-back', from: '1.2.0', to: '1.0.0' })
  })
})
