import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSubject } from '../miner/processes.js'
import { findProgram, packageVersion } from './installed.js'
import { freePort, programFolder, subjectOf, untilListening } from './listening.js'
import { BENCH_KEY, type Peer } from './peer.js'

const NAME = 'LiteLLM'
const MODELS = ['burst', 'tick', 'slow', 'steady']

/** LiteLLM's proxy with one worker and a master key: with a database of keys it would do more. */
export const litellm: Peer = {
  name: NAME,
  does: 'reads body and answer, checks one key for all, no database',
  version: () => {
    const program = findProgram('litellm')
    return program === undefined ? undefined : packageVersion(program, 'litellm')
  },
  start: async (upstreamPort) => {
    const program = findProgram('litellm')
    if (program === undefined) return undefined
    const folder = programFolder('litellm')
    const port = await freePort()
    const file = join(folder.path, 'config.yaml')
    writeFileSync(file, JSON.stringify(configuration(upstreamPort)))
    const child = spawnSubject(
      program,
      ['--host', '127.0.0.1', '--port', String(port), '--config', file, '--num_workers', '1'],
      // the list of prices that the package ships, instead of a download
      { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_MODE: 'PRODUCTION', LITELLM_LOG: 'ERROR' },
    )
    await untilListening(NAME, child, port)
    return subjectOf(NAME, child, port, folder.remove)
  },
}

/** JSON is YAML too. */
function configuration(upstreamPort: number): object {
  const model = (name: string) => ({
    model_name: name,
    litellm_params: {
      model: `openai/${name}`,
      api_base: `http://127.0.0.1:${upstreamPort}/v1`,
      api_key: 'none',
    },
  })
  return {
    model_list: MODELS.map(model),
    litellm_settings: { telemetry: false, num_retries: 0, request_timeout: 300 },
    general_settings: { master_key: BENCH_KEY, disable_spend_logs: true },
  }
}
