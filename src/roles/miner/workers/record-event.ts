import type { Log } from '../../../kernel/index.js'
import type { FrontEndParts } from '../serving/index.js'
import type { ToPrimary } from './to-primary.js'
import { writeWorkerRecord } from './worker-log.js'

/** Where events of all workers are counted, so that the counts outlive a worker that exits. */
export type EventParts = Pick<FrontEndParts, 'requests' | 'traffic' | 'wanted' | 'onOutcome'> & {
  readonly log: Log
}

/** Counts or logs an event of a worker. @returns false for messages of other kinds. */
export function recordEvent(parts: EventParts, worker: number, message: ToPrimary): boolean {
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
      writeWorkerRecord(log, worker, message)
      return true
    default:
      return false
  }
}
