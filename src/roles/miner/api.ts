import type { StatusApi } from '../../telemetry/index.js'
import { minerSeries } from './serving/index.js'
import { minerStatus } from './status-document.js'

/** What the status server of a miner serves. */
export const minerApi: StatusApi = {
  role: 'miner',
  port: 9100,
  documents: {
    status: {
      summary:
        'What the miner serves, who asks, and its model servers. `targon miner upstreams` prints these.',
      schema: minerStatus,
    },
    series: {
      summary: 'Requests, speeds and times of the last hour, sampled by the miner.',
      schema: minerSeries,
    },
  },
}
