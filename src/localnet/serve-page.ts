import type { Clock, Log } from '../kernel/index.js'
import { type StatusServer, startStatusServer } from '../telemetry/index.js'
import { describeLocalnet, localnetApi, type PartPages, type Snapshot } from './board/index.js'

/** Serves the page of a localnet, which links to the pages of its miners and its validator, on a free port. */
export function serveLocalnetPage(
  pages: PartPages,
  snapshot: () => Snapshot | undefined,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<StatusServer> {
  const status = () => describeLocalnet(snapshot(), pages)
  return startStatusServer({
    port: 0,
    log,
    live: () => true,
    ready: () => (snapshot() === undefined ? 'the validator has no status yet' : undefined),
    status,
    api: localnetApi,
    page: {
      role: 'localnet',
      clock,
      read: () => ({ status: { ...status() } }),
      rowKeys: { status: { miners: 'hotkey' } },
    },
  })
}
