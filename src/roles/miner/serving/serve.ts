import type { MinerSettings } from '../../../config/index.js'
import {
  type Clock,
  createCallerAddress,
  type FailureBuckets,
  type Log,
  readTrustedProxies,
} from '../../../kernel/index.js'
import { createRequestPolicy, type Deadlines } from '../../../routing/index.js'
import {
  Admission,
  BodyReader,
  createSignatureWorkers,
  type Gate,
  type Registered,
} from '../admission/index.js'
import { createRequestReader } from '../requests/index.js'
import type { HttpOptions } from './http-server.js'
import { createRequestHandler, type RouteDeps } from './routes.js'

/** The settings on which serving depends. */
export type ServingSettings = Pick<
  MinerSettings,
  | 'axon.trusted-proxies'
  | 'no-force-validator-permit'
  | 'min-stake'
  | 'timestamp-window'
  | 'max-body-bytes'
  | 'request-policy'
  | 'header-timeout'
  | 'body-timeout'
  | 'workers'
  | 'signature-workers'
>

/** What serving needs from elsewhere: from this process, or in a worker from the primary process. */
export interface ServingParts
  extends Pick<RouteDeps, 'router' | 'wanted' | 'requests' | 'traffic' | 'isDraining' | 'onOutcome'> {
  readonly clock: Clock
  readonly log: Log
  readonly deadlines: Deadlines
  /** Our hotkey, the receiver every request must be signed for. */
  readonly self: string
  readonly registration: Registered
  readonly gate: Gate
  readonly failures: FailureBuckets
}

/** Answers requests; it has no port of its own. */
export interface Serving {
  readonly admission: Admission
  readonly http: HttpOptions
  /** Applies to the requests that follow. @throws when the setting is invalid */
  setPolicy(setting: MinerSettings['request-policy']): void
  close(): Promise<void>
}

export async function openServing(settings: ServingSettings, parts: ServingParts): Promise<Serving> {
  const { clock, log, deadlines, registration, gate, failures, router, requests, self } = parts
  const policy = createRequestPolicy(settings['request-policy'])
  const signatures = await createSignatureWorkers(signatureThreads(settings), log)
  const reader = createRequestReader(log, policy, settings['max-body-bytes'])
  const bodyTimeoutMs = settings['body-timeout'] * 1000
  const admission = new Admission({
    ...{ self, clock, registration, gate, failures, signatures },
    minStakeTao: settings['no-force-validator-permit'] ? undefined : settings['min-stake'],
    windowMs: settings['timestamp-window'],
    bodies: new BodyReader({
      ...{ clock, deadlines },
      maxBytes: settings['max-body-bytes'],
      timeoutMs: bodyTimeoutMs,
    }),
    unavailableReason: (model) => router.unavailableReason(model),
  })
  const callerAddress = createCallerAddress(readTrustedProxies(settings['axon.trusted-proxies']))
  return {
    admission,
    http: {
      headerTimeoutMs: settings['header-timeout'] * 1000,
      bodyTimeoutMs,
      handle: createRequestHandler({ ...parts, admission, reader, callerAddress }),
      onUnreadable: (code) => requests.refused(code),
    },
    setPolicy: (setting) => reader.setPolicy(createRequestPolicy(setting)),
    close: async () => {
      await reader.close()
      await signatures.close()
    },
  }
}

/** With several workers, each checks signatures on its main thread: there may be as many of them as cores. */
function signatureThreads(settings: ServingSettings): number {
  return settings['signature-workers'] ?? (settings.workers === 1 ? 1 : 0)
}
