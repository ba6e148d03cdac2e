import { localnetApi } from '../../src/localnet/index.js'
import { hubApi } from '../../src/roles/hub/index.js'
import { minerApi } from '../../src/roles/miner/index.js'
import { validatorApi } from '../../src/roles/validator/reports/index.js'
import { describeApi } from '../../src/telemetry/index.js'

/** docs/openapi.json: the read-only API of the status servers of all roles. A running node serves its own part. */
export function renderOpenApi(): string {
  return `${JSON.stringify(describeApi([validatorApi, minerApi, hubApi, localnetApi]), null, 2)}\n`
}
