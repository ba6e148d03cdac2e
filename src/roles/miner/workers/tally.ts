import type { Log } from '../../../kernel/index.js'
import type { FrontParts } from '../serving/index.js'
import type { ToPrimary } from './to-primary.js'

/** What happened in the workers, counted in one place: counts of a worker that exits stay counted. */
export type TallyParts = Pick<FrontParts, 'requests' | 'traffic' | 'wanted' | 'onOutcome'> & {
  readonly log: Log
}

/** @returns whether the message was one to count or to log. */
export function tally(parts: TallyParts, worker: number, message: ToPrimary): boolean {
  const { requests, traffic, wanted, onOutcome, log } = parts
  switch (message.t) {
    case 'admitted':
      requests.admitted(message.hotkey, message.uid)
      return true
    case 'refused':
      requests.refused(message.code, message.caller)
      return true
    case 'ended':
      requests.ended(message.route, message.end)
      return true
    case 'outcome':
      onOutcome?.({ path: message.path, model: message.model }, message.outcome)
      return true
    case 'traffic':
      traffic.ended(message, message.model, message.end, message.firstByteMs)
      return true
    case 'wanted':
      wanted.note(message.hotkey, message.names)
      return true
    case 'log':
      log[message.level]({ ...message.fields, worker }, message.message)
      return true
    default:
      return false
  }
}
