import { refuse } from '../../../epistula/index.js'
import { type Clock, createDeferred } from '../../../kernel/index.js'
import type { Deadlines, Timed, Waiter } from '../../../routing/index.js'
import {
  type Entry,
  type Gate,
  NO_DECISION,
  type PlaceTaken,
  type Release,
  TOO_MANY_REQUESTS,
} from '../admission/index.js'
import { MAX_MODEL_NAME, type ToPrimary } from './to-primary.js'
import type { ToWorker } from './to-worker.js'

/** How long an answer of the primary process may take. Redis, which it may ask, has a second. */
export const ANSWER_MS = 3000

export interface RemoteGateOptions {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** How long a request may wait for a place. */
  readonly queueTimeoutMs: number
  readonly tell: (message: ToPrimary) => void
  /** Places at model servers that came with verdicts, by the response that they are for. */
  readonly ahead: WeakMap<Waiter, PlaceAhead>
}

export interface PlaceAhead {
  /** Of the question that the verdict answered. */
  readonly id: number
  readonly model: string
  readonly url: string
}

type Verdict = Extract<ToWorker, { t: 'verdict' }>['verdict']

interface Answer {
  readonly verdict: Verdict | 'silent'
  readonly url?: string | undefined
}

/** A request that waits for the primary process. */
interface PendingRequest {
  readonly onVerdict: (answer: Answer) => void
  readonly onPlace: (isGranted: boolean) => void
}

/** The gate of a worker: it asks the primary process, and refuses a request that gets no answer in time. */
export interface RemoteGate extends Gate {
  /** @param url of a model server at which the request has a place already */
  verdict(id: number, verdict: Verdict, url?: string): void
  place(id: number, isGranted: boolean): void
  /** Notes whether requests of this caller would get a place. */
  setRoom(hotkey: string, hasRoom: boolean): void
}

export function createRemoteGate(options: RemoteGateOptions): RemoteGate {
  const { tell, ahead } = options
  const asked = new Map<number, PendingRequest>()
  const full = new Set<string>()
  const inFlight = new Map<string, number>()
  let next = 0
  let held = 0
  const hold = (id: number, hotkey: string): Release => {
    let isReleased = false
    held++
    inFlight.set(hotkey, (inFlight.get(hotkey) ?? 0) + 1)
    return () => {
      if (isReleased) return
      isReleased = true
      held--
      const left = (inFlight.get(hotkey) ?? 1) - 1
      if (left === 0) inFlight.delete(hotkey)
      else inFlight.set(hotkey, left)
      tell({ t: 'release', id })
    }
  }
  return {
    get inFlight() {
      return held
    },
    /** The primary process counts them. */
    waiting: 0,
    inFlightOf: (hotkey) => inFlight.get(hotkey) ?? 0,
    hasRoom: ({ hotkey }) => !full.has(hotkey),
    setRoom: (hotkey, hasRoom) => {
      if (hasRoom) full.delete(hotkey)
      else full.add(hotkey)
    },
    verdict: (id, verdict, url) => asked.get(id)?.onVerdict({ verdict, url }),
    place: (id, isGranted) => asked.get(id)?.onPlace(isGranted),
    enter: async ({ signedBy: hotkey, uuid, timestampMs }, { hasPermit, model: named }) => {
      const id = next++
      const answer = createDeferred<Answer>()
      const model = named !== undefined && named.length <= MAX_MODEL_NAME ? named : undefined
      const place = createDeferred<boolean>()
      asked.set(id, { onVerdict: answer.resolve, onPlace: place.resolve })
      const giveUp = () => {
        asked.delete(id)
        tell({ t: 'release', id })
      }
      tell({ t: 'admit', id, hotkey, hasPermit, uuid, timestampMs, model })
      const answered = await within(options, ANSWER_MS, answer.promise)
      const { verdict, url } = answered === 'silent' ? SILENT : answered
      if (verdict === 'silent') giveUp()
      else if (verdict !== 'waiting') asked.delete(id)
      return entryOf(verdict, {
        hold: (waiter) => {
          if (waiter && model !== undefined && url !== undefined) ahead.set(waiter, { id, model, url })
          return hold(id, hotkey)
        },
        wait: async (waiter) => {
          const end = await waitForPlace(options, place.promise, waiter)
          asked.delete(id)
          if (end === true) return hold(id, hotkey)
          if (end === false) return TOO_MANY_REQUESTS
          giveUp()
          return end === 'left' ? 'left' : NO_DECISION
        },
      })
    },
  }
}

const SILENT: Answer = { verdict: 'silent' }

interface Ways {
  readonly hold: (waiter: Waiter | undefined) => Release
  readonly wait: (waiter: Waiter | undefined) => Promise<PlaceTaken>
}

function entryOf(verdict: Verdict | 'silent', { hold, wait }: Ways): Entry {
  switch (verdict) {
    case 'silent':
      return { kind: 'refused', refusal: NO_DECISION }
    case 'granted':
      return { kind: 'fresh', take: hold }
    case 'full':
      return { kind: 'fresh', take: () => TOO_MANY_REQUESTS }
    case 'waiting':
      return { kind: 'fresh', take: wait }
    default:
      return { kind: 'refused', refusal: refuse(verdict) }
  }
}

async function waitForPlace(
  options: RemoteGateOptions,
  place: Promise<boolean>,
  waiter: Waiter | undefined,
): Promise<boolean | 'left' | 'silent'> {
  if (waiter?.destroyed) return 'left'
  const left = createDeferred<'left'>()
  const onClose = () => left.resolve('left')
  waiter?.once('close', onClose)
  const end = await within(options, options.queueTimeoutMs + ANSWER_MS, Promise.race([place, left.promise]))
  waiter?.off('close', onClose)
  return end
}

/** Resolves as the promise does, or with `silent` when that takes too long. */
export function within<T>(
  { clock, deadlines }: Pick<RemoteGateOptions, 'clock' | 'deadlines'>,
  timeoutMs: number,
  answer: Promise<T>,
): Promise<T | 'silent'> {
  const { promise, resolve } = createDeferred<T | 'silent'>()
  const startedAt = clock.monotonic()
  const timed: Timed = {
    check: (now) => {
      if (now - startedAt >= timeoutMs) resolve('silent')
    },
  }
  deadlines.watch(timed)
  void answer.then(resolve)
  return promise.finally(() => deadlines.forget(timed))
}
