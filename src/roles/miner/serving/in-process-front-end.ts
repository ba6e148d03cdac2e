import { createFailureBuckets } from '../../../kernel/index.js'
import type { FrontEnd, FrontEndContext, FrontEndParts } from './front-end.js'
import { listenPublicly } from './public-server.js'
import { openServing } from './serve.js'

/** Answers callers in this process. @throws what `listenPublicly` throws */
export async function openInProcessFrontEnd(
  context: FrontEndContext,
  parts: FrontEndParts,
): Promise<FrontEnd> {
  const { settings, clock, log, cleanup, signal, self, isTrustedProxy } = context
  const failures = createFailureBuckets(clock, settings['max-failed-checks'])
  const serving = await openServing(settings, { ...parts, clock, log, self, failures })
  cleanup.add('request reader', () => serving.close())
  const server = await listenPublicly({
    ...serving.http,
    ...{ clock, log, signal, isTrustedProxy },
    ...{ host: settings['axon.ip'], port: settings['axon.port'] },
  })
  cleanup.add('public server', () => server.close())
  return {
    address: server.address,
    port: server.port,
    get pending() {
      return serving.admission.pending
    },
    reload: async (next) => serving.setPolicy(next['request-policy']),
    startDraining: () => {},
    workers: () => [],
    unavailableReason: () => undefined,
  }
}
