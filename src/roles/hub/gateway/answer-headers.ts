import type { HubMiner } from '../miners/index.js'
import { ID_HEADER } from './early-answers.js'
import type { ServeDeps, Served } from './types.js'

/** What every answer says about how it came about. */
export function answerHeaders(
  { id, key, request, progress }: Served,
  miner: HubMiner,
  contentType: string,
  { isRetaining }: Pick<ServeDeps, 'isRetaining'>,
): Record<string, string> {
  const isVerifiable = request.endpoint !== undefined && key.isRetained && isRetaining
  return {
    'content-type': contentType,
    'cache-control': 'no-cache',
    // nginx would otherwise hold a stream back.
    'x-accel-buffering': 'no',
    [ID_HEADER]: id,
    'x-targon-miner-uid': String(miner.uid),
    'x-targon-attempts': String(progress.attempts),
    'x-targon-verified': isVerifiable ? 'pending' : 'no',
  }
}
