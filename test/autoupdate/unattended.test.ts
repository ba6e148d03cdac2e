import { beforeAll, describe, expect, it } from 'vitest'
import { JITTER_MS, jitterOf, mayUpdateAt, readState, UnattendedUpdate } from '../../src/autoupdate/index.js'
import type { Clock } from '../../src/clock.js'
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

function updater(changes: Parameters<ReleaseRepository['context']>[0] = {}) {
  const slept: number[] = []
  const said: string[] = []
  const context = repository.context({ clock: instantClock(slept), ...changes })
  const write = (_fields: unknown, message?: string) => void said.push(message ?? '')
  const log = { info: write, warn: write, debug: write }
  return { update: new UnattendedUpdate(context, { hotkey, log: log as never }), context, slept, said }
}

describe('an unattended update', () => {
  beforeAll(() => repository.release('1.0.0'))

  it('waits the share of its hotkey, applies, and asks for a restart', async () => {
    const { update, context, slept, said } = updater()
    expect(await update.look(() => ({ block: 100, nextWeightsBlock: 360 }))).toBe(true)
    expect(slept).toContain(jitterOf(hotkey, '1.0.0'))
    expect(await readState(context.layout)).toMatchObject({ state: 'probation', to: '1.0.0' })
    expect(said).toEqual(['update found', 'update applied'])
  })

  it('R10: is put off when weights are due within 30 blocks after the delay', async () => {
    const { update, context, said } = updater()
    expect(await update.look(() => ({ block: 331, nextWeightsBlock: 360 }))).toBe(false)
    expect(said).toEqual(['update found', 'update put off: weights are near'])
    expect((await readState(context.layout)).state).toBe('committed')
  })

  it('does nothing when there is nothing newer', async () => {
    const { update, said } = updater({ currentVersion: '1.0.0' })
    expect(await update.look()).toBe(false)
    expect(said).toEqual([])
  })

  it('keeps the role running when the source is away', async () => {
    const { update, said } = updater({ url: '/nowhere.git' })
    expect(await update.look()).toBe(false)
    expect(said).toEqual(['update check failed'])
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
