import type { StatusApi } from '../../telemetry/index.js'
import { hubSeries } from './figures/index.js'
import { hubStatus } from './status-document.js'

/** What the status server of a hub serves. */
export const hubApi: StatusApi = {
  role: 'hub',
  port: 9102,
  documents: {
    status: {
      summary: 'Which miners the hub asks, for which models, and how requests ended.',
      schema: hubStatus,
    },
    series: {
      summary: 'The last hour: requests, time to the first token and tokens per second, every five seconds.',
      schema: hubSeries,
    },
  },
}
