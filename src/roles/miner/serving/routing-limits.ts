import type { MinerSettings } from '../../../config/index.js'
import { defaultLimits, type RoutingLimits } from '../../../routing/index.js'

/** The settings of {@link readLimits}. */
export type LimitSettings = Pick<
  MinerSettings,
  `routing.${'first-byte-timeout' | 'gap-timeout' | 'total-timeout' | 'reader-timeout' | 'queue-length' | 'queue-timeout' | 'refresh'}`
>

export function readLimits(settings: LimitSettings): RoutingLimits {
  return {
    ...defaultLimits,
    firstByteTimeoutMs: settings['routing.first-byte-timeout'] * 1000,
    gapTimeoutMs: settings['routing.gap-timeout'] * 1000,
    totalTimeoutMs: settings['routing.total-timeout'] * 1000,
    readerTimeoutMs: settings['routing.reader-timeout'] * 1000,
    queueLength: settings['routing.queue-length'],
    queueTimeoutMs: settings['routing.queue-timeout'] * 1000,
    refreshMs: settings['routing.refresh'] * 1000,
  }
}
