import { TargonError } from '../../../kernel/index.js'
import { inspectServer, type UpstreamSettings } from '../../../routing/index.js'
import { checkModel } from './check-model.js'
import { canSendTokenIds, serverFindings } from './server-findings.js'
import type { CheckDeps, CheckOptions, MinerCheck, ModelCheck, ServerCheck } from './types.js'

/**
 * Asks the model servers of a miner as a validator would, and judges the answers with the same verdict and evidence. Reads
 * only: nothing changes on disk or chain.
 *
 * @throws TargonError MODEL_NOT_SERVED (fault upstream), and the reason of the signal when it aborts
 */
export async function checkMiner(options: CheckOptions, deps: CheckDeps): Promise<MinerCheck> {
  const servers: ServerCheck[] = []
  for (const server of options.servers) servers.push(await checkServer(server, options, deps))
  const { model } = options
  if (model !== undefined && servers.every(({ findings, models }) => findings.length + models.length === 0))
    throw new TargonError(`None of the model servers has the model ${model}.`, {
      code: 'MODEL_NOT_SERVED',
      fault: 'upstream',
      next: 'Omit --model to check every model they have.',
    })
  const all = servers.flatMap(({ findings, models }) => [
    ...findings,
    ...models.flatMap((one) => one.findings),
  ])
  return { verified: all.every(({ weight }) => weight !== 'fails'), servers }
}

async function checkServer(
  server: UpstreamSettings,
  options: CheckOptions,
  deps: CheckDeps,
): Promise<ServerCheck> {
  deps.onProgress?.(`looking at ${server.url}`)
  const inspection = await inspectServer(server, deps)
  const findings = serverFindings(inspection, server)
  const models: ModelCheck[] = []
  const wanted = inspection.models.filter(({ name }) => options.model === undefined || options.model === name)
  if (inspection.downReason === undefined && canSendTokenIds(inspection))
    for (const one of wanted) models.push(await checkModel({ ...one, server, inspection }, options, deps))
  return { server: server.url, findings, models }
}
