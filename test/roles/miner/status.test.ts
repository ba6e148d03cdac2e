import { describe, expect, it } from 'vitest'
import { whenHealthy } from '../../../src/roles/when-healthy.js'
import { startFakeVllm } from '../../support/fake-vllm.js'
import { ManualClock, settle } from '../../support/manual-clock.js'
import { startMinerRig } from '../../support/miner-rig.js'

/** Whether a promise has resolved by now. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await settle()
  return resolved
}

describe('whenHealthy', () => {
  it('resolves at once when the miner can serve', async () => {
    const { signal } = new AbortController()
    expect(await isResolved(whenHealthy(new ManualClock(), () => undefined, signal))).toBe(true)
  })

  it('waits until the miner can serve, and stops checking when the role ends', async () => {
    const clock = new ManualClock()
    const stopping = new AbortController()
    let reason: string | undefined = 'no upstream answers'
    const healthy = whenHealthy(clock, () => reason, stopping.signal)
    await clock.advance(60_000)
    expect(await isResolved(healthy)).toBe(false)
    reason = undefined
    await clock.advance(1000)
    expect(await isResolved(healthy)).toBe(true)
    expect(clock.waiting).toBe(0)

    reason = 'the metagraph is too old'
    const never = whenHealthy(clock, () => reason, stopping.signal)
    await settle()
    stopping.abort()
    reason = undefined
    await clock.advance(60_000)
    expect(await isResolved(never)).toBe(false)
    expect(clock.waiting).toBe(0)
  })

  it('stays pending while the model server of a real miner fails', async () => {
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
})
