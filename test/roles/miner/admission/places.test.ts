import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { Places } from '../../../../src/roles/miner/admission/places.js'
import { createDeadlines, createRequestQueue } from '../../../../src/routing/index.js'
import { createFakeSubtensor, neuronOf } from '../../../support/fake-subtensor.js'
import { sse, startFakeVllm } from '../../../support/fake-vllm.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { startMinerRig } from '../../../support/miner-rig.js'

const LIMITS = { maxInFlight: 4, maxInFlightPerSigner: 1, maxInFlightPerValidator: 3 }
const claim = (hotkey: string, hasPermit = false) => ({ hotkey, hasPermit })

describe('Places', () => {
  let stopping = new AbortController()
  afterEach(() => stopping.abort())

  function create(length: number) {
    stopping = new AbortController()
    const clock = new ManualClock()
    const deadlines = createDeadlines(clock, stopping.signal)
    const requests = createRequestQueue<() => void>(clock, deadlines, {
      queueLength: length,
      queueTimeoutMs: 2000,
    })
    return { clock, places: new Places(LIMITS, { requests, length }) }
  }

  it('gives more places to a caller with a validator permit, and none beyond the total', async () => {
    const places = new Places(LIMITS)
    const taken = ['v', 'v', 'v', 'v', 'a', 'a', 'b'].map((name) =>
      places.take(claim(name, name === 'v'), undefined),
    )
    expect(taken.map((one) => typeof one)).toEqual([
      'function',
      'function',
      'function',
      'string',
      'function',
      'string',
      'string',
    ])
    expect([places.inFlight, places.inFlightOf('v'), places.inFlightOf('a')]).toEqual([4, 3, 1])
    const [first] = taken
    if (typeof first !== 'function') throw new Error('the first request got no place')
    first()
    first()
    expect([places.inFlight, places.inFlightOf('v')]).toEqual([3, 2])
    expect(places.hasRoom(claim('b'))).toBe(true)
  })

  it('lets further requests wait in order, and gives a freed place to the first that may have it', async () => {
    const { places } = create(8)
    const [a, b] = [await places.take(claim('a'), undefined), await places.take(claim('b'), undefined)]
    const order: string[] = []
    const waiting = ['a', 'b', 'a'].map(async (name, index) => {
      const release = await places.take(claim(name), undefined)
      order.push(`${name}${index}`)
      return release
    })
    expect(places.waiting).toBe(3)
    if (typeof b === 'function') b()
    await waiting[1]
    if (typeof a === 'function') a()
    const next = await waiting[0]
    expect(order).toEqual(['b1', 'a0'])
    if (typeof next === 'function') next()
    await waiting[2]
    expect([order.at(-1), places.waiting, places.inFlight]).toEqual(['a2', 0, 2])
  })

  it('refuses after the queue timeout, and leaves half the queue to other callers', async () => {
    const { clock, places } = create(4)
    await places.take(claim('a'), undefined)
    const waiting = [places.take(claim('a'), undefined), places.take(claim('a'), undefined)]
    expect(places.hasRoom(claim('a'))).toBe(false)
    expect(await places.take(claim('a'), undefined)).toBe('full')
    expect(places.hasRoom(claim('b'))).toBe(true)
    for (let step = 0; step < 10; step++) await clock.advance(250)
    expect(await Promise.all(waiting)).toEqual(['full', 'full'])
    expect([places.waiting, places.inFlight]).toEqual([0, 1])
  })
})

describe('a miner with default limits (T-M14)', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  /** Answers nothing before `answerAll`. */
  async function start(validatorPermit: boolean, settings: object = {}) {
    const held: (() => void)[] = []
    let isHolding = true
    const vllm = await startFakeVllm({
      answer: ({ response }) => {
        const answer = () => response.writeHead(200).end(sse('[DONE]'))
        if (isHolding) held.push(answer)
        else answer()
      },
    })
    open.push(vllm)
    const [miner, validator] = await Promise.all([hotkeyOf(1), hotkeyOf(2)])
    const subtensor = createFakeSubtensor([
      neuronOf({ uid: 0, hotkey: validator.address, stakeTao: 20_000, validatorPermit }),
      neuronOf({ uid: 1, hotkey: miner.address }),
    ])
    const rig = await startMinerRig({
      settings: { 'model-endpoint': [vllm.url], ...settings },
      deps: { subtensor },
    })
    open.push(rig)
    const answerAll = () => {
      isHolding = false
      for (const answer of held.splice(0)) answer()
    }
    return { rig, vllm, answerAll }
  }

  const BODY = JSON.stringify({ model: 'org/model', prompt: 'a', stream: true })
  const ask = async (rig: Awaited<ReturnType<typeof start>>['rig']) => {
    const answer = await rig.post('/v1/completions', BODY)
    await answer.body.dump()
    return answer.statusCode
  }

  it('serves twenty requests at once that a hub signs with one validator’s hotkey', async () => {
    const { rig, vllm, answerAll } = await start(true)
    const statuses = Promise.all(Array.from({ length: 20 }, () => ask(rig)))
    await vllm.arrived(20)
    answerAll()
    expect(await statuses).toEqual(Array(20).fill(200))
  })

  it('lets the ninth request of a caller without a permit wait until one of its eight ends', async () => {
    const { rig, vllm, answerAll } = await start(false)
    const statuses = Promise.all(Array.from({ length: 12 }, () => ask(rig)))
    await vllm.arrived(8)
    await expect
      .poll(async () => (await (await fetch(`${rig.statusUrl}/status`)).json()) as object)
      .toMatchObject({ inFlight: 8 })
    expect(vllm.received).toHaveLength(8)
    answerAll()
    expect(await statuses).toEqual(Array(12).fill(200))
  })

  it('forgets a waiting request whose caller disconnects, and ends the drain when all have ended', async () => {
    const { rig, vllm, answerAll } = await start(true, {
      'max-in-flight-per-signer': 1,
      'routing.queue-timeout': 60,
    })
    const first = ask(rig)
    await vllm.arrived(1)
    const leaving = new AbortController()
    const left = request(`${rig.url}/v1/completions`, {
      ...{ method: 'POST', body: BODY, headers: rig.sign(BODY), signal: leaving.signal },
    }).catch(() => 'left')
    const waits = ask(rig)
    await new Promise((resolve) => setTimeout(resolve, 200))
    leaving.abort()
    expect(await left).toBe('left')
    const status = async (): Promise<unknown> => (await fetch(`${rig.statusUrl}/status`)).json()
    await expect.poll(status).toMatchObject({ inFlight: 1, requests: { abandoned: 1 } })
    answerAll()
    expect([await first, await waits]).toEqual([200, 200])
    expect(vllm.received).toHaveLength(2)
    expect(await rig.close()).toMatchObject({ answered: 2, abandoned: 1, cut: 0 })
  })
})
