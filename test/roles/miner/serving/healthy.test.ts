import { expect, it } from 'vitest'
import { whenHealthy } from '../../../../src/roles/miner/serving/healthy.js'
import { startFakeVllm } from '../../../support/fake-vllm.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { startMinerRig } from '../../../support/miner-rig.js'

/** Whether a promise has resolved by now. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await settle()
  return resolved
}

it('is healthy at once when nothing is lacking', async () => {
  const { signal } = new AbortController()
  expect(await isResolved(whenHealthy(new ManualClock(), () => undefined, signal))).toBe(true)
})

it('waits for what is lacking, and stops looking when the role ends', async () => {
  const clock = new ManualClock()
  const life = new AbortController()
  let lack: string | undefined = 'no upstream answers'
  const healthy = whenHealthy(clock, () => lack, life.signal)
  await clock.advance(60_000)
  expect(await isResolved(healthy)).toBe(false)
  lack = undefined
  await clock.advance(1000)
  expect(await isResolved(healthy)).toBe(true)
  expect(clock.waiting).toBe(0)

  lack = 'the metagraph is too old'
  const never = whenHealthy(clock, () => lack, life.signal)
  await settle()
  life.abort()
  lack = undefined
  await clock.advance(60_000)
  expect(await isResolved(never)).toBe(false)
  expect(clock.waiting).toBe(0)
})

it('a miner whose model server fails is not healthy until it answers', async () => {
  const vllm = await startFakeVllm({ models: ['org/model'] })
  vllm.modelsStatus = 503
  vllm.healthStatus = 503
  const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url] } })
  try {
    expect(await isResolved(rig.healthy)).toBe(false)
    vllm.modelsStatus = 200
    vllm.healthStatus = 200
    await rig.healthy
  } finally {
    await rig.close()
    await vllm.close()
  }
})
