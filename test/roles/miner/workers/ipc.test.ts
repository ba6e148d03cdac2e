import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { createReplayMemory } from '../../../../src/epistula/index.js'
import { createGate } from '../../../../src/roles/miner/admission/index.js'
import { createBatchReader } from '../../../../src/roles/miner/workers/batches.js'
import { ANSWER_MS, createRemoteGate } from '../../../../src/roles/miner/workers/remote-gate.js'
import { createRemotePlaces } from '../../../../src/roles/miner/workers/remote-places.js'
import { type ToPrimary, toPrimary } from '../../../../src/roles/miner/workers/to-primary.js'
import { type ToWorker, toWorker } from '../../../../src/roles/miner/workers/to-worker.js'
import { WorkerPlaces } from '../../../../src/roles/miner/workers/worker-places.js'
import { createDeadlines, createRequestQueue, type SharedPlaces } from '../../../../src/routing/index.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'

const QUEUE_MS = 2000
const CLAIM = { hotkey: 'caller', hasPermit: true }
const NO_PLACES: SharedPlaces = { tryTake: () => undefined, take: async () => 'none' as const }

let stopping = new AbortController()
afterEach(() => stopping.abort())

/** A primary process, and workers that ask it; their messages are serialized and parsed as between processes. */
function open(limits: { maxInFlight: number; perSigner?: number; queueLength?: number }) {
  stopping = new AbortController()
  const clock = new ManualClock()
  const deadlines = createDeadlines(clock, stopping.signal)
  const { maxInFlight, perSigner = maxInFlight, queueLength = 0 } = limits
  const queueLimits = { queueLength, queueTimeoutMs: QUEUE_MS }
  const gate = createGate({
    ...{ maxInFlight, maxInFlightPerSigner: perSigner, maxInFlightPerValidator: perSigner },
    queue: { requests: createRequestQueue(clock, deadlines, queueLimits), length: queueLength },
    replays: createReplayMemory(clock, { windowMs: 8000 }),
  })
  const full: string[] = []

  function worker(sharedPlaces: SharedPlaces = NO_PLACES, isAnswered = true) {
    const readOwn = createBatchReader<ToPrimary>(toPrimary)
    const readAnswers = createBatchReader<ToWorker>(toWorker)
    const told: ToPrimary['t'][] = []
    const answer = (message: ToWorker) => {
      if (!isAnswered) return
      for (const one of readAnswers(JSON.parse(JSON.stringify([message]))) ?? []) receive(one)
    }
    const places = new WorkerPlaces({
      gate,
      sharedPlaces,
      tell: answer,
      onFull: ({ hotkey }) => void full.push(hotkey),
    })
    const tell = (message: ToPrimary) => {
      told.push(message.t)
      const [one] = readOwn(JSON.parse(JSON.stringify([message]))) ?? []
      if (one?.t === 'admit') void places.admit(one)
      else if (one?.t === 'release') places.release(one)
      else if (one?.t === 'reserve') void places.reserve(one)
      else if (one?.t === 'settle') places.settle(one)
      else if (one?.t === 'settled') places.settled(one)
      else throw new Error(`unexpected message ${JSON.stringify(message)}`)
    }
    const options = { clock, deadlines, queueTimeoutMs: QUEUE_MS, tell, ahead: new WeakMap() }
    const [remote, remotePlaces] = [createRemoteGate(options), createRemotePlaces(options)]
    const receive = (message: ToWorker) => {
      if (message.t === 'verdict') remote.verdict(message.id, message.verdict, message.url)
      if (message.t === 'place') remote.place(message.id, message.isGranted)
      if (message.t === 'reserved' || message.t === 'not-reserved') remotePlaces.answer(message.id, message)
    }
    return { gate: remote, sharedPlaces: remotePlaces, places, told }
  }
  const request = (uuid: string) => ({ signedBy: CLAIM.hotkey, uuid, timestampMs: clock.now() })
  return { clock, gate, worker, request, full }
}

type Taken = Awaited<ReturnType<typeof take>>

async function take(
  asking: ReturnType<ReturnType<typeof open>['worker']>,
  request: Parameters<typeof asking.gate.enter>[0],
  caller?: Caller,
) {
  const entry = await asking.gate.enter(request, CLAIM)
  return entry.kind === 'refused' ? entry.refusal : await entry.take(caller)
}

class Caller extends EventEmitter {
  destroyed = false
  leave() {
    this.destroyed = true
    this.emit('close')
  }
}

const codeOf = (taken: Taken) =>
  typeof taken === 'function' ? 'granted' : typeof taken === 'string' ? taken : taken.code

describe('workers that ask the primary process', () => {
  it('accept exactly one of two copies of a request that reach two workers at once', async () => {
    const { worker, request } = open({ maxInFlight: 10_000 })
    const [a, b] = [worker(), worker()]
    const pairs = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const copy = request(String(index))
        const both = await Promise.all(
          index % 2 ? [take(a, copy), take(b, copy)] : [take(b, copy), take(a, copy)],
        )
        return both.map(codeOf).sort().join()
      }),
    )
    expect(new Set(pairs)).toEqual(new Set(['REPLAYED,granted']))
  })

  it('never hold more places than one process would give', async () => {
    const { gate, worker, request, full } = open({ maxInFlight: 100, perSigner: 40 })
    const workers = [worker(), worker(), worker()]
    const taken = await Promise.all(
      Array.from({ length: 300 }, (_, index) => take(workers[index % 3]!, request(String(index)))),
    )
    const releases = taken.filter((one) => typeof one === 'function')
    expect([releases.length, gate.inFlight, gate.inFlightOf(CLAIM.hotkey)]).toEqual([40, 40, 40])
    expect(taken.filter((one) => codeOf(one) === 'TOO_MANY_REQUESTS')).toHaveLength(260)
    expect(full).toHaveLength(260)
    for (const release of releases) {
      release()
      release()
    }
    expect(gate.inFlight).toBe(0)
  })

  it('give a place that one worker frees to a request that waits at another', async () => {
    const { gate, worker, request } = open({ maxInFlight: 1, queueLength: 4 })
    const [a, b] = [worker(), worker()]
    const first = await take(a, request('1'))
    const second = take(b, request('2'))
    const caller = new Caller()
    const third = take(b, request('3'), caller)
    await settle()
    expect(gate.waiting).toBe(2)
    caller.leave()
    expect(await third).toBe('left')
    expect(gate.waiting).toBe(1)
    if (typeof first === 'function') first()
    expect(codeOf(await second)).toBe('granted')
    expect([gate.inFlight, gate.waiting]).toEqual([1, 0])
  })

  it('refuse a request that waited too long for a place', async () => {
    const { clock, worker, request } = open({ maxInFlight: 1, queueLength: 4 })
    await take(worker(), request('1'))
    const late = take(worker(), request('2'))
    await clock.advance(QUEUE_MS + 500)
    expect(codeOf(await late)).toBe('TOO_MANY_REQUESTS')
  })

  it('free everything that a worker held and waited for when it exits', async () => {
    const { gate, worker, request } = open({ maxInFlight: 2, queueLength: 4 })
    const [a, b] = [worker(), worker()]
    await take(a, request('1'))
    await take(a, request('2'))
    void take(a, request('3'))
    const other = take(b, request('4'))
    await settle()
    expect([gate.inFlight, gate.waiting, a.places.inFlight]).toEqual([2, 2, 2])
    expect(a.places.close()).toBe(2)
    expect(codeOf(await other)).toBe('granted')
    expect([gate.inFlight, gate.waiting]).toEqual([1, 0])
  })

  it('refuse with 503 when the primary process does not answer, and give back what it granted', async () => {
    const { clock, gate, worker, request } = open({ maxInFlight: 5 })
    const unanswering = worker(NO_PLACES, false)
    const unanswered = take(unanswering, request('1'))
    await settle()
    expect(gate.inFlight).toBe(1)
    await clock.advance(ANSWER_MS + 500)
    expect(await unanswered).toMatchObject({ code: 'NO_DECISION', status: 503 })
    expect(gate.inFlight).toBe(0)
    const place = unanswering.sharedPlaces.take('org/model', new Caller(), [])
    await clock.advance(QUEUE_MS + ANSWER_MS + 500)
    expect(await place).toBe('silent')
  })

  it('reserve places at model servers, and return them when the attempt ends or the caller leaves', async () => {
    const ends: string[] = []
    const asked: unknown[] = []
    const sharedPlaces: SharedPlaces = {
      tryTake: () => undefined,
      take: (model, _, tried) => {
        asked.push([model, tried])
        return { url: 'http://server/v1', settle: ({ kind }) => void ends.push(kind) }
      },
    }
    const { worker } = open({ maxInFlight: 5 })
    const asking = worker(sharedPlaces)
    const place = await asking.sharedPlaces.take('org/model', new Caller(), ['http://other/v1'])
    if (typeof place === 'string') throw new Error(place)
    expect(place.url).toBe('http://server/v1')
    expect(asked).toEqual([['org/model', ['http://other/v1']]])
    place.settle({ kind: 'retry', cause: 'connection' })
    place.settle({ kind: 'broken' })
    expect(ends).toEqual(['retry'])
    const caller = new Caller()
    const left = asking.sharedPlaces.take('org/model', caller, [])
    caller.leave()
    await settle()
    expect([await left, ...ends]).toEqual([expect.anything(), 'retry', ...ends.slice(1)])
    await asking.sharedPlaces.take('org/model', new Caller(), [])
    asking.places.close()
    expect(ends.at(-1)).toBe('caller-left')
  })
})

it('a request that names its model gets a place at a server with its verdict, which is free again however it ends', async () => {
  const ends: string[] = []
  const sharedPlaces: SharedPlaces = {
    tryTake: (model) => {
      let isSettled = false
      const settle = ({ kind }: { kind: string }) => {
        if (!isSettled) ends.push(kind)
        isSettled = true
      }
      return { url: `http://${model}/v1`, settle }
    },
    take: async () => 'full' as const,
  }
  const { worker, request } = open({ maxInFlight: 5 })
  const asker = worker(sharedPlaces)
  const enter = async (uuid: string, model: string) => {
    const entry = await asker.gate.enter(request(uuid), { ...CLAIM, model })
    const caller = new Caller()
    const release = entry.kind === 'fresh' ? await entry.take(caller) : undefined
    if (typeof release !== 'function') throw new Error('no place')
    return { caller, release }
  }
  const used = await enter('1', 'a')
  const lent = await asker.sharedPlaces.take('a', used.caller, [])
  expect(lent).toMatchObject({ url: 'http://a/v1' })
  expect(asker.told).not.toContain('reserve')
  if (typeof lent !== 'string') lent.settle({ kind: 'done', status: 200 })
  expect(ends).toEqual(['done'])
  const otherModel = await enter('2', 'a')
  expect(await asker.sharedPlaces.take('b', otherModel.caller, [])).toBe('full')
  expect(ends).toEqual(['done'])
  otherModel.release()
  expect(ends).toEqual(['done', 'caller-left'])
  await enter('3', 'a')
  asker.places.close()
  expect(ends).toEqual(['done', 'caller-left', 'caller-left'])
})

describe('messages between processes', () => {
  const readOwn = createBatchReader<ToPrimary>(toPrimary)
  const readAnswers = createBatchReader<ToWorker>(toWorker)

  it('are refused as a whole when one of them is invalid', () => {
    const good = { t: 'release', id: 1 }
    expect(readOwn([good, good])).toEqual([good, good])
    for (const bad of [
      { t: 'release' },
      { t: 'release', id: -1 },
      { t: 'nonsense' },
      null,
      'release',
      [good],
    ])
      expect(readOwn([good, bad]), JSON.stringify(bad)).toBeUndefined()
    expect(readOwn(good)).toBeUndefined()
    expect(readOwn([{ t: 'outcome', path: '/elsewhere', model: 'm', outcome: {} }])).toBeUndefined()
    expect(readAnswers([{ t: 'verdict', id: 1, verdict: 'granted' }])).toHaveLength(1)
    expect(readAnswers([{ t: 'verdict', id: 1, verdict: 'perhaps' }])).toBeUndefined()
  })
})
