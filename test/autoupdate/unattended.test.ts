import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readState, slotOf, UnattendedUpdate } from '../../src/autoupdate/index.js'
import { JITTER_MS, jitterOf, mayUpdateAt } from '../../src/autoupdate/unattended.js'
import type { Clock } from '../../src/kernel/clock.js'
import type { LogFields } from '../../src/kernel/log.js'
import { ReleaseRepository } from '../support/release-repository.js'

const repository = new ReleaseRepository()
const hotkey = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty'

/** Returns from every sleep at once and records its length. */
function instantClock(slept: number[]): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: async (ms) => void slept.push(ms),
  }
}

function updater(changes: Parameters<ReleaseRepository['context']>[0] = {}, isLaunched = true) {
  const slept: number[] = []
  const events: string[] = []
  const context = repository.context({ clock: instantClock(slept), ...changes })
  const write = ({ event }: LogFields) => void events.push(event)
  const log = { info: write, warn: write, debug: () => {} }
  const results: string[] = []
  const onCheck = (result: string) => void results.push(result)
  const update = new UnattendedUpdate(context, { hotkey, log: log as never, isLaunched, onCheck })
  return { update, context, slept, events, results }
}

describe('an unattended update', () => {
  beforeAll(() => repository.release('1.0.0'))

  it('waits for the jitter of its hotkey, puts the release on probation and requests a restart', async () => {
    const { update, context, slept, events } = updater()
    expect(await update.check(() => ({ block: 100, nextWeightsBlock: 360 }))).toBe(true)
    expect(slept).toContain(jitterOf(hotkey, '1.0.0'))
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.0' })
    expect(events).toEqual(['update-found', 'update-applied'])
  })

  it('R10: is postponed when weights are due within 30 blocks after the delay', async () => {
    const { update, context, events } = updater()
    expect(await update.check(() => ({ block: 331, nextWeightsBlock: 360 }))).toBe(false)
    expect(events).toEqual(['update-found', 'update-postponed'])
    expect((await readState(context.layout)).state).toBe('committed')
  })

  it('does nothing when no newer release is offered', async () => {
    const { update, events } = updater({ runningVersion: '1.0.0' })
    expect(await update.check()).toBe(false)
    expect(events).toEqual([])
  })

  it('keeps the role running when the source is unreachable', async () => {
    const { update, events } = updater({ url: '/nowhere.git' })
    expect(await update.check()).toBe(false)
    expect(events).toEqual(['update-check-failed'])
  })

  it('R10: is postponed when weights come due while the slot is built, and reuses that slot later', async () => {
    const { update, context, events } = updater()
    const blocks = [100, 331]
    expect(await update.check(() => ({ block: blocks.shift() ?? 331, nextWeightsBlock: 360 }))).toBe(false)
    expect(events).toEqual(['update-found', 'update-postponed'])
    expect((await readState(context.layout)).state).toBe('committed')
    expect(existsSync(join(slotOf(context.layout, '1.0.0'), 'COMPLETE'))).toBe(true)
    expect(await update.check(() => ({ block: 361, nextWeightsBlock: 720 }))).toBe(true)
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.0' })
  })

  it('only logs an available release, once, when no launcher would start it', async () => {
    const { update, context, events } = updater({}, false)
    expect(await update.check()).toBe(false)
    expect(await update.check()).toBe(false)
    expect(events).toEqual(['update-available'])
    expect(existsSync(context.layout.releases)).toBe(false)
  })

  it.each([
    ['no signer is pinned', 'updates-off', { signersFile: '/dev/null' }],
    ['the signers file does not exist', 'updates-off', { signersFile: '/nowhere/signers' }],
    ['the source is unreachable', 'update-check-failed', { url: '/nowhere.git' }],
  ])('logs only once that %s', async (_, event, changes) => {
    const { update, events } = updater(changes)
    await update.warnIfUnpinned()
    for (let turn = 0; turn < 3; turn++) expect(await update.check()).toBe(false)
    expect(events).toEqual([event])
  })

  it('counts its checks by their result', async () => {
    const updaters = [
      updater({ url: '/nowhere.git' }),
      updater({ runningVersion: '1.0.0' }),
      updater({}, false),
      updater({ nodeVersion: '1.0.0' }),
    ]
    for (const { update } of updaters) await update.check()
    expect(updaters.flatMap(({ results }) => results)).toEqual(['failed', 'none', 'offered', 'refused'])
  })

  it('logs a refusal once, and the refusal of another version again', async () => {
    const evil = new ReleaseRepository()
    await evil.release('6.6.6', 'good', evil.strangerKey)
    const { update, events } = updater({ url: evil.remote })
    for (let turn = 0; turn < 3; turn++) expect(await update.check()).toBe(false)
    await evil.release('6.6.7', 'good', evil.strangerKey)
    expect(await update.check()).toBe(false)
    expect(events).toEqual(['update-refused', 'update-refused'])
  })

  it('runs one check at a time', async () => {
    const { update } = updater()
    const checks = await Promise.all([update.check(), update.check(), update.check()])
    expect(checks.filter(Boolean)).toHaveLength(1)
  })
})

describe('the schedule', () => {
  it('spreads hotkeys over half an hour, with a fixed delay per hotkey and version', () => {
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
  ])('R10: at block %i with weights due at %i an update is allowed: %s', (block, nextWeightsBlock, may) => {
    expect(mayUpdateAt({ block, nextWeightsBlock })).toBe(may)
  })
})
