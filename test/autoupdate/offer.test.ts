import { beforeAll, describe, expect, it } from 'vitest'
import { confirmRelease, findOffer, readState } from '../../src/autoupdate/index.js'
import { newestVersion, policyRefusal } from '../../src/autoupdate/offer.js'
import { systemClock } from '../../src/kernel/clock.js'
import { installAndConfirm, installRelease } from '../support/install-release.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()
beforeAll(() => repository.release('1.0.0'))

const in90Days = { ...systemClock, now: () => Date.now() + 90 * 86_400_000 }

describe('an offer', () => {
  it('contains the version, the signer and no warning', async () => {
    const offer = await findOffer(repository.context())
    expect(offer).toMatchObject({ kind: 'available', installed: '0.9.0', warnings: [] })
    expect(offer.kind === 'available' && offer.verified.signedBy).toBe('maintainer@example.org')
  })

  it('is empty once the release is committed', async () => {
    const context = repository.context()
    await installRelease(context)
    expect(await confirmRelease(context.layout, '1.0.0')).toBe(true)
    expect(await confirmRelease(context.layout, '1.0.0')).toBe(false)
    expect(await readState(context.layout)).toMatchObject({
      state: 'committed',
      highest: '1.0.0',
      committed: ['1.0.0'],
    })
    expect((await findOffer(context)).kind).toBe('none')
  })

  it('warns when the release file has expired', async () => {
    const offer = await findOffer({ ...repository.context(), clock: in90Days })
    expect(offer.kind === 'available' && offer.warnings[0]).toMatch(/expired/)
  })
})

describe('R4 roll-back attack', () => {
  const state = { state: 'committed' as const, highest: '2.0.0', committed: ['1.5.0', '2.0.0'], bad: [] }

  it.each([
    ['1.9.0', '1.0.0', false, 'downgrade'],
    ['1.9.0', '1.0.0', true, 'downgrade'],
    ['1.5.0', '2.0.0', false, 'downgrade'],
    ['1.5.0', '2.0.0', true, undefined],
    ['2.0.0', '1.5.0', false, undefined],
    ['2.0.1', '2.0.0', false, undefined],
  ])('%s on %s (explicit: %s) is refused as %s', (version, installed, isExplicit, rule) => {
    expect(policyRefusal(version, installed, state, isExplicit)?.rule).toBe(rule)
  })

  it('compares versions in semver order', () => {
    expect(newestVersion(['v4.5.11', 'v5.0.0', 'v4.10.0', 'v10.0.0-rc.1', 'nightly', 'v7'], 'stable')).toBe(
      '5.0.0',
    )
    expect(newestVersion(['v5.0.0', 'v10.0.0-rc.1'], 'next')).toBe('10.0.0-rc.1')
    expect(newestVersion(['nightly'], 'stable')).toBeUndefined()
  })
})

describe('R4 fast-forward attack', () => {
  it('does not remember a far-ahead version of an unpinned signer as the highest', async () => {
    const attacked = new ReleaseRepository()
    await attacked.release('99.0.0', 'good', attacked.strangerKey)
    const context = attacked.context()
    expect(await installAndConfirm(context)).toBe('signature')
    expect(await readState(context.layout)).toMatchObject({ state: 'committed', highest: '0.0.0', bad: [] })
    attacked.git('push', '--quiet', 'origin', ':refs/tags/v99.0.0')
    await attacked.release('99.0.1')
    expect(await installAndConfirm(context)).toBe('99.0.1')
  })
})

describe('R4 freeze attack', () => {
  it('warns when the source offers nothing newer than an expired release', async () => {
    const context = repository.context()
    await installAndConfirm(context)
    expect(await findOffer(context)).toMatchObject({ kind: 'none', warnings: [] })
    const offer = await findOffer({ ...context, clock: in90Days })
    expect(offer.kind === 'none' && offer.warnings.join()).toMatch(/expired .* may be frozen/)
  })
})
