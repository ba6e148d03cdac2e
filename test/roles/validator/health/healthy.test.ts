import { afterEach, expect, it } from 'vitest'
import { watchHealth } from '../../../../src/roles/validator/health/healthy.js'
import { startValidator } from '../../../../src/roles/validator/index.js'
import type { Verdict } from '../../../../src/verification/index.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { settle } from '../../../support/manual-clock.js'
import { createRig, MODEL, type Rig } from '../validator-rig.js'

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

const verified: Verdict = { kind: 'verified' }
const failed: Verdict = { kind: 'failed', cause: 'TIMEOUT', detail: '' }
const inconclusive: Verdict = { kind: 'inconclusive', reason: 'engine-unavailable', detail: '' }

it.each([
  ['a block, no round', true, undefined, false],
  ['a round, no block', false, [verified], false],
  ['a block and an empty round', true, [], false],
  ['a block and a round of its own faults', true, [inconclusive, inconclusive], false],
  ['a block and a round with one verdict that stands', true, [inconclusive, failed], true],
  ['a block and a verified answer', true, [verified], true],
] as const)('after %s', async (_, head, verdicts, healthy) => {
  const health = watchHealth()
  if (head) health.onHead()
  if (verdicts) health.onRoundJudged(verdicts.map((verdict) => ({ verdict })))
  expect(await isResolved(health.healthy)).toBe(healthy)
})

async function rigWithMiner(): Promise<Rig> {
  const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
  const rig = await createRig([miner])
  open.push(rig, miner)
  return rig
}

it('a validator is healthy after its first block and its first judged round, not before', async () => {
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

it('a validator whose engine fails judges nobody and is not healthy', async () => {
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
