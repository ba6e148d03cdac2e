import { type Clock, every, type Log, messageOf, withDeadline } from '../kernel/index.js'
import { AlertBook } from './alert-book.js'
import { Courier, type CourierOptions, type Receiver } from './courier.js'
import type { AlertSource } from './message.js'
import { openToldFile } from './told-file.js'
import { type ActiveAlert, type AlertChange, alertKey, type Condition, type Finding } from './types.js'

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
  /** Keeps what was told over a restart; without one, a restart tells it again. */
  readonly file?: string | undefined
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
export async function startAlerts(options: AlertsOptions): Promise<Alerts> {
  const { clock, log, conditions, receiver, repeatMs, source, file, onAttempt } = options
  const book = new AlertBook(clock, { repeatMs })
  const saved = file === undefined ? undefined : openToldFile(file, options)
  const before = (await saved?.load()) ?? { alerts: [], told: [] }
  const known = new Set(conditions.map(({ id }) => id))
  const standing = before.alerts.filter(({ id }) => known.has(id))
  book.restore(standing)
  const courier = receiver && new Courier({ clock, log, receiver, source, told: before.told, onAttempt })
  courier?.tell(changesOver(before.told, standing, clock.now()))

  const look = createLook(options, (condition, findings) => {
    const changes = book.observe(condition, findings)
    for (const change of changes) logChange(log, change)
    courier?.tell(changes)
  })
  const save = async () => saved?.save({ alerts: book.active(), told: courier?.told ?? [] })
  const lookAtAll = async () => {
    await Promise.all(conditions.map(look))
    await save()
  }
  const ending = new AbortController()
  const running = every(clock, LOOK_EVERY_MS, ending.signal, lookAtAll, (error) =>
    log.warn({ event: 'alerts-failed', reason: messageOf(error) }, 'could not look at the alerts'),
  )
  return {
    active: () => book.active(),
    close: async () => {
      ending.abort()
      await running
      await courier?.close()
      await save()
    },
  }
}

/** Looks at one condition with a deadline. One that fails is logged once and keeps its alerts as they are. */
function createLook(
  { clock, log }: Pick<AlertsOptions, 'clock' | 'log'>,
  onFindings: (condition: Condition, findings: readonly Finding[]) => void,
) {
  const broken = new Set<string>()
  return async (condition: Condition): Promise<void> => {
    try {
      const what = `looking at ${condition.id}`
      const look = async (signal: AbortSignal) => condition.look(signal)
      const findings = await withDeadline(clock, what, LOOK_TIMEOUT_MS, undefined, look)
      broken.delete(condition.id)
      onFindings(condition, findings)
    } catch (error) {
      if (broken.has(condition.id)) return
      broken.add(condition.id)
      log.warn(
        { event: 'alert-condition-failed', alert: condition.id, err: error },
        'could not tell whether there is something to alert on',
      )
    }
  }
}

/** What the receiver does not know after a restart: alerts that were not delivered, and ends that were not. */
function changesOver(
  told: readonly ActiveAlert[],
  standing: readonly ActiveAlert[],
  now: number,
): AlertChange[] {
  const keys = new Set(standing.map(alertKey))
  const ended = told.filter((alert) => !keys.has(alertKey(alert)))
  const change = (kind: AlertChange['kind']) => (alert: ActiveAlert) => {
    return { kind, alert, lastedMs: Math.max(0, now - Date.parse(alert.since)) }
  }
  return [...standing.map(change('raised')), ...ended.map(change('resolved'))]
}

function logChange(log: Log, { kind, alert, lastedMs }: AlertChange): void {
  const { id, ...rest } = alert
  if (kind === 'resolved') {
    const seconds = Math.round(lastedMs / 1000)
    log.info({ event: 'alert-resolved', alert: id, ...rest, seconds }, 'alert resolved')
  } else
    log.warn({ event: 'alert-raised', alert: id, ...rest, isReminder: kind === 'reminder' }, 'alert raised')
}
