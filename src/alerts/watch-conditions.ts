import { type Clock, every, type Log, messageOf, withDeadline } from '../kernel/index.js'
import { AlertBook } from './alert-book.js'
import { Courier, type CourierOptions, type Receiver } from './courier.js'
import type { AlertSource } from './message.js'
import type { ActiveAlert, AlertChange, Condition } from './types.js'

const LOOK_EVERY_MS = 15_000
/** A hanging disk must not keep the other conditions from being looked at. */
const LOOK_TIMEOUT_MS = 5000

export interface AlertsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly conditions: readonly Condition[]
  readonly source: AlertSource
  /** Where to tell; without one, alerts are logged and shown in /status only. */
  readonly receiver?: Receiver | undefined
  /** After which a raised alert is told again; 0 for never. */
  readonly repeatMs: number
  readonly onAttempt?: CourierOptions['onAttempt']
}

export interface Alerts {
  /** The raised alerts, the most severe first. */
  active(): ActiveAlert[]
  /** Sends what waits, and ends. */
  close(): Promise<void>
}

/** Looks at the conditions every 15 seconds, and logs and tells what changes. */
export function startAlerts(options: AlertsOptions): Alerts {
  const { clock, log, conditions, receiver, repeatMs, source, onAttempt } = options
  const book = new AlertBook(clock, { repeatMs })
  const courier = receiver && new Courier({ clock, log, receiver, source, onAttempt })
  const ending = new AbortController()
  const broken = new Set<string>()

  const look = async (condition: Condition): Promise<void> => {
    try {
      const findings = await withDeadline(
        clock,
        `looking at ${condition.id}`,
        LOOK_TIMEOUT_MS,
        undefined,
        async (signal) => condition.look(signal),
      )
      broken.delete(condition.id)
      const changes = book.observe(condition, findings)
      for (const change of changes) logChange(log, change)
      courier?.tell(changes)
    } catch (error) {
      if (broken.has(condition.id)) return
      broken.add(condition.id)
      log.warn(
        { event: 'alert-condition-failed', alert: condition.id, err: error },
        'could not tell whether there is something to alert on',
      )
    }
  }
  const lookAtAll = async () => {
    await Promise.all(conditions.map(look))
  }
  const running = every(clock, LOOK_EVERY_MS, ending.signal, lookAtAll, (error) =>
    log.warn({ event: 'alerts-failed', reason: messageOf(error) }, 'could not look at the alerts'),
  )
  return {
    active: () => book.active(),
    close: async () => {
      ending.abort()
      await running
      await courier?.close()
    },
  }
}

function logChange(log: Log, { kind, alert, lastedMs }: AlertChange): void {
  const { id, ...rest } = alert
  if (kind === 'resolved') {
    const seconds = Math.round(lastedMs / 1000)
    log.info({ event: 'alert-resolved', alert: id, ...rest, seconds }, 'alert resolved')
  } else
    log.warn({ event: 'alert-raised', alert: id, ...rest, isReminder: kind === 'reminder' }, 'alert raised')
}
