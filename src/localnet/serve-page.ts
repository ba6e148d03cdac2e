import type { Clock, Log } from '../kernel/index.js'
import { type StatusApi, type StatusServer, startStatusServer } from '../telemetry/index.js'
import { describeLocalnet, localnetStatus, type PartPages, type Snapshot } from './board/index.js'

/** What the status server of a localnet serves. */
export const localnetApi: StatusApi = {
  role: 'localnet',
  documents: { status: { summary: 'The parts of a localnet and how they do.', schema: localnetStatus } },
}

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
