import { afterEach, describe, expect, it } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import { watchHealth } from '../../../../src/roles/validator/health/health.js'
import { startValidator } from '../../../../src/roles/validator/index.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/round.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRig, createRigContext, createRigEngine, MODEL, type Rig } from '../validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await (thing.dispose?.() ?? thing.close?.())
})

async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await settle()
  return resolved
}

function setup(scoresTrouble: () => string | undefined = () => undefined) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const running: { engines: ReferenceEngine[] } = { engines: [] }
  const head = createTopic<unknown>()
  const roundJudged = createTopic<readonly Pick<RoundResult, 'verdict'>[]>()
  const view = viewOf(servingMiners(1))
  const engines = () => running.engines
  const context = createRigContext({ clock, signal: stop.signal, view, engines })
  const health = watchHealth(context, { events: { head, roundJudged }, scoresTrouble })
  return { clock, running, head, roundJudged, health, stop: () => stop.abort() }
}

describe('readiness', () => {
  it('needs a recent block, an engine ready for a wanted model, saved scores, and no drain', async () => {
    let trouble: string | undefined
    const { clock, running, head, health, stop } = setup(() => trouble)
    expect(health.unreadyReason()).toContain(`${MODEL}: it has no engine`)
    running.engines = [
      createRigEngine('org/unwanted'),
      { ...createRigEngine(), unreadyReason: 'failed too often' },
    ]
    expect(health.unreadyReason()).toBe(
      `no reference engine is ready for a wanted model (${MODEL}: failed too often)`,
    )
    running.engines = [createRigEngine()]
    expect(health.unreadyReason()).toBeUndefined()
    await clock.advance(121_000)
    expect(health.unreadyReason()).toBe('no new block for 121 s')
    head.publish({})
    expect(health.unreadyReason()).toBeUndefined()
    trouble = 'scores cannot be saved: ENOSPC'
    expect(health.unreadyReason()).toBe(trouble)
    stop()
    expect(health.unreadyReason()).toBe('draining')
  })
})

const verified: Verdict = { kind: 'verified' }
const failed: Verdict = { kind: 'failed', cause: 'TIMEOUT', detail: '' }
const inconclusive: Verdict = { kind: 'inconclusive', reason: 'engine-unavailable', detail: '' }

describe('proof of health', () => {
  it.each([
    ['a block but no round', true, undefined, false],
    ['a round but no block', false, [verified], false],
    ['a block and an empty round', true, [], false],
    ['a block and a round of inconclusive verdicts', true, [inconclusive, inconclusive], false],
    ['a block and a round with one conclusive verdict', true, [inconclusive, failed], true],
    ['a block and a verified answer', true, [verified], true],
  ] as const)('after %s', async (_, hasHead, verdicts, isHealthy) => {
    const { head, roundJudged, health } = setup()
    if (hasHead) head.publish({})
    if (verdicts) roundJudged.publish(verdicts.map((verdict) => ({ verdict })))
    expect(await isResolved(health.healthy)).toBe(isHealthy)
  })

  async function rigWithMiner(): Promise<Rig> {
    const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
    const rig = await createRig([miner])
    open.push(rig, miner)
    return rig
  }

  it('comes from a running validator after its first block and its first judged round, not before', async () => {
    const rig = await rigWithMiner()
    const end = new AbortController()
    const running = await startValidator(rig.settings, { ...rig.deps, signal: end.signal })
    await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'verified')
    expect(await isResolved(running.healthy)).toBe(false)
    rig.chain.grow(101)
    await running.healthy
    end.abort()
    await running.done
  })

  it('does not come from a validator whose engine fails', async () => {
    const rig = await rigWithMiner()
    const engine = Object.assign(rig.deps.engines()[0] ?? {}, { failure: new Error('out of memory') })
    const end = new AbortController()
    const running = await startValidator(rig.settings, {
      ...rig.deps,
      engines: () => [engine as never],
      signal: end.signal,
    })
    rig.chain.grow(101)
    await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'inconclusive')
    expect(await isResolved(running.healthy)).toBe(false)
    end.abort()
    await running.done
  })
})
