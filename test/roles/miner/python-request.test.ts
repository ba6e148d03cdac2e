import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/kernel/clock.js'
import { createFakeSubtensor, neuronOf } from '../../support/fake-subtensor.js'
import { startFakeVllm } from '../../support/fake-vllm.js'
import { hotkeyOf } from '../../support/hotkeys.js'
import { startMinerRig } from '../../support/miner-rig.js'

const CALLER = '5DtDLm5rQHShDqojQpsvcN8tRXHVFaecfDoRet1SU6BFD9Fi'
const SELF = '5Fpfx4iDtrrY99VGkQnLXASytC2y9Z3o8KUyTtD4w7o5SZcA'
const NOW_MS = 1736100000000

/** Signed by the Python of 4.4.1 (epistula.py with substrate-interface), for SELF at NOW_MS or a millisecond later. */
const SIGNED = {
  empty:
    '0x96f9e51b8bfdc1674d32d4046c1b4221115e8374276665515e280df4a8b71c53949cefd2014b6d34b738a58a7d7d11904e62a986a65f19e69c30e88873c62087',
  object:
    '0x487cf8a29edd0b6e5ba2de3ed42031bf441118711ecb15bbd1a3b7c121f0f711f1e8e2e456ccd7ee4167cb8ed4ba27c62ea2d8287213a8a53358bcc34dce3e8d',
}

const headersOf = (signature: string) => ({
  'Epistula-Version': '2',
  'Epistula-Timestamp': String(NOW_MS),
  'Epistula-Uuid': '3f2b1c00-1111-4222-8333-444455556666',
  'Epistula-Signed-By': CALLER,
  'Epistula-Signed-For': SELF,
  'Epistula-Request-Signature': signature,
})

describe('a request signed by the Python of 4.4.1', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start() {
    const vllm = await startFakeVllm()
    const subtensor = createFakeSubtensor([
      neuronOf({ uid: 0, hotkey: CALLER, stakeTao: 20_000 }),
      neuronOf({ uid: 1, hotkey: SELF }),
    ])
    const signer = { ...(await hotkeyOf(1)), address: SELF }
    const clock = { ...systemClock, now: () => NOW_MS }
    const settings = { 'model-endpoint': [vllm.url], 'signature-workers': 1 }
    const rig = await startMinerRig({ clock, settings, deps: { subtensor, signer } })
    open.push(vllm, rig)
    return rig
  }

  it('is admitted over HTTP, once', async () => {
    const rig = await start()
    const ask = () => request(`${rig.url}/models`, { headers: headersOf(SIGNED.empty) })
    const answer = await ask()
    expect(answer.statusCode).toBe(200)
    expect(await answer.body.json()).toEqual(['org/model'])
    const copy = await ask()
    expect(await copy.body.json()).toMatchObject({ detail: 'Request was received before' })
  })

  it('covers its body as Python serialises it, byte for byte', async () => {
    const rig = await start()
    const post = async (body: string) => {
      const answer = await rig.post('/v1/completions', body, headersOf(SIGNED.object))
      return await answer.body.json()
    }
    expect(await post('{"a":1}')).toEqual({ detail: 'Signature Mismatch' })
    // Admitted, and refused for what it asks.
    expect(await post('{"a": 1}')).toMatchObject({ error: { code: 'request_policy', param: 'a' } })
  })
})
