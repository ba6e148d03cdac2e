import { type Clock, createDeferred, type Deferred, type Log, withDeadline } from '../kernel/index.js'
import { type AlertFormat, type AlertSource, formatOf, writeMessage } from './message.js'
import { Outbox } from './outbox.js'
import { type PostResult, postMessage } from './post-message.js'
import type { ActiveAlert, AlertChange } from './types.js'

/** At most one message per this time; what happens meanwhile goes into the next one. */
const GAP_MS = 10_000
const FIRST_RETRY_MS = 5000
const LONGEST_RETRY_MS = 300_000
/** Within the time that the end of a process grants each of its parts. */
const LAST_MESSAGE_MS = 3000

export interface Receiver {
  readonly url: string
  /** Sent as `Authorization: Bearer`. */
  readonly secret?: string | undefined
  /** That of the host when absent. */
  readonly format?: AlertFormat | undefined
}

export interface CourierOptions {
  readonly clock: Clock
  readonly log: Log
  readonly receiver: Receiver
  readonly source: AlertSource
  /** Alerts that the receiver believes raised since before a restart. */
  readonly told?: readonly ActiveAlert[]
  /** Counts attempts by their result. */
  readonly onAttempt?: ((result: PostResult['kind']) => void) | undefined
}

/** Brings changes to a webhook, in the order in which they happened, and tries again until they have arrived. */
export class Courier {
  readonly #options: CourierOptions
  readonly #outbox: Outbox
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #news: Deferred<void> = createDeferred()
  #failures = 0

  constructor(options: CourierOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.told)
    this.#running = this.#run()
  }

  /** The alerts that the receiver believes raised. */
  get told(): ActiveAlert[] {
    return this.#outbox.told
  }

  tell(changes: readonly AlertChange[]): void {
    for (const change of changes) this.#outbox.add(change)
    if (!this.#outbox.isEmpty) this.#news.resolve()
  }

  /** Sends once more what waits, and gives up when that does not work in time. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#news.resolve()
    await this.#running
    if (this.#outbox.isEmpty) return
    const { clock } = this.#options
    await withDeadline(clock, 'sending the last alerts', LAST_MESSAGE_MS, undefined, async (signal) => {
      await this.#send(signal)
    }).catch(() => {})
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.#news.promise
      if (signal.aborted) return
      this.#news = createDeferred()
      while (!this.#outbox.isEmpty && !signal.aborted) {
        const waitMs = await this.#send(signal)
        await clock.sleep(Math.max(GAP_MS, waitMs), signal).catch(() => {})
      }
    }
  }

  /** Sends one message. @returns the time to wait before the next attempt, 0 after a success. */
  async #send(signal: AbortSignal): Promise<number> {
    const { clock, log, receiver, source, onAttempt } = this.#options
    const url = new URL(receiver.url)
    const batch = this.#outbox.next()
    const body = writeMessage(receiver.format ?? formatOf(url), source, batch)
    const result = await postMessage({ url, secret: receiver.secret, body }, clock, signal)
    if (signal.aborted && result.kind === 'failed') return 0
    onAttempt?.(result.kind)
    if (result.kind === 'sent') {
      this.#outbox.delivered(batch)
      if (this.#failures > 0)
        log.info({ event: 'alert-webhook-recovered' }, 'the alert webhook answers again')
      this.#failures = 0
      return 0
    }
    const { reason } = result
    if (result.kind === 'refused') {
      this.#outbox.discard(batch)
      const next = 'Check --alert.webhook, --alert.secret and --alert.format.'
      const alerts = batch.changes.length
      log.error(
        { event: 'alert-refused', host: url.host, reason, alerts, next },
        'the alert webhook refused a message',
      )
      return 0
    }
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures)
    const retryMs = Math.min(LONGEST_RETRY_MS, Math.max(waitMs, result.retryAfterMs ?? 0))
    log[this.#failures === 0 ? 'warn' : 'debug'](
      { event: 'alert-not-sent', host: url.host, reason, retryMs },
      'could not send alerts; trying again',
    )
    this.#failures++
    return retryMs
  }
}
