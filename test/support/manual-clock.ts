import type { Clock } from '../../src/kernel/clock.js'

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

/** A clock that only moves when advanced; sleepers wake in the order they are due. */
export class ManualClock implements Clock {
  #time: number
  readonly #start: number
  #sleepers: Sleeper[] = []

  constructor(start = 1_734_000_000_000) {
    this.#time = start
    this.#start = start
  }

  now(): number {
    return this.#time
  }

  monotonic(): number {
    return this.#time - this.#start
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { due: this.#time + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Number of pending sleeps, so that a test can wait until the code under test sleeps. */
  get waiting(): number {
    return this.#sleepers.length
  }

  /** Advances the time, waking sleepers one by one and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms
    for (;;) {
      await settle()
      const next = this.#sleepers.filter((sleeper) => sleeper.due <= end).sort((a, b) => a.due - b.due)[0]
      if (!next) break
      this.#time = Math.max(this.#time, next.due)
      this.#sleepers = this.#sleepers.filter((other) => other !== next)
      next.wake()
    }
    this.#time = end
    await settle()
  }
}

/** Runs the continuations of promises that are already settled. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
