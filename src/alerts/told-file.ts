import { z } from 'zod'
import {
  type Clock,
  type Log,
  parseJson,
  readBoundedFile,
  replaceFile,
  withDeadline,
} from '../kernel/index.js'
import { activeAlert } from './types.js'

const content = z.object({
  alerts: z.array(activeAlert).max(2000),
  /** The alerts that the receiver believes raised. */
  told: z.array(activeAlert).max(2000),
})

export type ToldAlerts = z.output<typeof content>

const NONE: ToldAlerts = { alerts: [], told: [] }
const TIMEOUT_MS = 2000

/** What was told before a restart, so that it is neither told again nor forgotten. Neither method rejects. */
export interface ToldFile {
  load(): Promise<ToldAlerts>
  /** Writes the file when other alerts stand, or were told, than at the last time. */
  save(now: ToldAlerts): Promise<void>
}

export function openToldFile(
  path: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ToldFile {
  let saved = identityOf(NONE)
  let isBroken = false
  return {
    load: async () => {
      try {
        const bytes = await withDeadline(clock, 'reading the told alerts', TIMEOUT_MS, undefined, () =>
          readBoundedFile(path),
        )
        const found = content.safeParse(bytes && parseJson(bytes.toString('utf8')))
        if (!found.success) return NONE
        saved = identityOf(found.data)
        return found.data
      } catch (error) {
        log.warn({ event: 'alerts-not-read', path, err: error }, 'could not read which alerts were told')
        return NONE
      }
    },
    save: async (now) => {
      const identity = identityOf(now)
      if (identity === saved) return
      try {
        await withDeadline(clock, 'saving the told alerts', TIMEOUT_MS, undefined, () =>
          replaceFile(path, `${JSON.stringify(now)}\n`),
        )
        saved = identity
        isBroken = false
      } catch (error) {
        if (!isBroken)
          log.warn(
            { event: 'alerts-not-saved', path, err: error },
            'could not save which alerts were told: a restart tells them again',
          )
        isBroken = true
      }
    },
  }
}

/** Which alerts, without their sentences, which may change all the time. */
function identityOf({ alerts, told }: ToldAlerts): string {
  return JSON.stringify(
    [alerts, told].map((list) => list.map(({ id, subject, since }) => [id, subject, since])),
  )
}
