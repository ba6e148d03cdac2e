import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  JITTER_MS,
  jitterOf,
  mayUpdateAt,
  readState,
  slotOf,
  UnattendedUpdate,
} from '../../src/autoupdate/index.js'
import type { Clock } from '../../src/kernel/clock.js'
import type { LogFields } from '../../src/kernel/log.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()
const hotkey = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty'

/** Sleeps at once and remembers for how long. */
function instantClock(slept: number[]): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: async (ms) => void slept.push(ms),
  }
}

function updater(changes: Parameters<ReleaseRepository['context']>[0] = {}, isLaunched = true) {
  const slept: number[] = []
  const said: string[] = []
  const context = repository.context({ clock: instantClock(slept), ...changes })
  const write = ({ event }: LogFields) => void said.push(event)
  const log = { info: write, warn: write, debug: () => {} }
  const results: string[] = []
  const onLook = (result: string) => void results.push(result)
  const update = new UnattendedUpdate(context, { hotkey, log: log as never, isLaunched, onLook })
  return { update, context, slept, said, results }
}

describe('an unattended update', () => {
  beforeAll(() => repository.release('1.0.0'))

  it('waits the share of its hotkey, applies, and asks for a restart', async () => {
    const { update, context, slept, said } = updater()
    expect(await update.look(() => ({ block: 100, nextWeightsBlock: 360 }))).toBe(true)
    expect(slept).toContain(jitterOf(hotkey, '1.0.0'))
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.0' })
    expect(said).toEqual(['update-found', 'update-applied'])
  })

  it('R10: is put off when weights are due within 30 blocks after the delay', async () => {
    const { update, context, said } = updater()
    expect(await update.look(() => ({ block: 331, nextWeightsBlock: 360 }))).toBe(false)
    expect(said).toEqual(['update-found', 'update-postponed'])
    expect((await readState(context.layout)).state).toBe('committed')
  })

  it('does nothing when there is nothing newer', async () => {
    const { update, said } = updater({ ownVersion: '1.0.0' })
    expect(await update.look()).toBe(false)
    expect(said).toEqual([])
  })

  it('keeps the role running when the source is away', async () => {
    const { update, said } = updater({ url: '/nowhere.git' })
    expect(await update.look()).toBe(false)
    expect(said).toEqual(['update-check-failed'])
  })

  it('R10: is put off when weights have come near while the slot was built, and is quick the next time', async () => {
    const { update, context, said } = updater()
    const blocks = [100, 331]
    expect(await update.look(() => ({ block: blocks.shift() ?? 331, nextWeightsBlock: 360 }))).toBe(false)
    expect(said).toEqual(['update-found', 'update-postponed'])
    expect((await readState(context.layout)).state).toBe('committed')
    expect(existsSync(join(slotOf(context.layout, '1.0.0'), 'COMPLETE'))).toBe(true)
    expect(await update.look(() => ({ block: 361, nextWeightsBlock: 720 }))).toBe(true)
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.0' })
  })

  it('only tells of a release, once, when no launcher would start it', async () => {
    const { update, context, said } = updater({}, false)
    expect(await update.look()).toBe(false)
    expect(await update.look()).toBe(false)
    expect(said).toEqual(['update-available'])
    expect(existsSync(context.layout.releases)).toBe(false)
  })

  it.each([
    ['no signer is pinned', 'updates-off', { signersFile: '/dev/null' }],
    ['the file of signers is not there', 'updates-off', { signersFile: '/nowhere/signers' }],
    ['the source is away', 'update-check-failed', { url: '/nowhere.git' }],
  ])('when %s, says so once and not for ever', async (_, message, changes) => {
    const { update, said } = updater(changes)
    await update.introduce()
    for (let look = 0; look < 3; look++) expect(await update.look()).toBe(false)
    expect(said).toEqual([message])
  })

  it('counts its looks by what came of them', async () => {
    const looks = [
      updater({ url: '/nowhere.git' }),
      updater({ ownVersion: '1.0.0' }),
      updater({}, false),
      updater({ nodeVersion: '1.0.0' }),
    ]
    for (const { update } of looks) await update.look()
    expect(looks.flatMap(({ results }) => results)).toEqual(['failed', 'none', 'offered', 'refused'])
  })

  it('says a refusal once, and a new one again', async () => {
    const evil = new ReleaseRepository()
    await evil.release('6.6.6', 'good', evil.strangerKey)
    const { update, said } = updater({ url: evil.remote })
    for (let look = 0; look < 3; look++) expect(await update.look()).toBe(false)
    await evil.release('6.6.7', 'good', evil.strangerKey)
    expect(await update.look()).toBe(false)
    expect(said).toEqual(['update-refused', 'update-refused'])
  })

  it('looks once at a time', async () => {
    const { update } = updater()
    const looks = await Promise.all([update.look(), update.look(), update.look()])
    expect(looks.filter(Boolean)).toHaveLength(1)
  })
})

describe('the schedule', () => {
  it('spreads hotkeys over half an hour, the same for the same hotkey and version', () => {
    const delays = Array.from({ length: 500 }, (_, index) => jitterOf(`hotkey ${index}`, '1.0.0'))
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...delays)).toBeLessThan(JITTER_MS)
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(JITTER_MS * 0.9)
    expect(jitterOf(hotkey, '1.0.0')).toBe(jitterOf(hotkey, '1.0.0'))
    expect(jitterOf(hotkey, '1.0.0')).not.toBe(jitterOf(hotkey, '1.0.1'))
  })

  it.each([
    [329, 360, true],
    [330, 360, false],
    [360, 360, false],
    [361, 360, false],
  ])('R10 never within 30 blocks before weights: block %i with weights at %i: %s', (block, next, may) => {
    expect(mayUpdateAt(block, next)).toBe(may)
  })
})
