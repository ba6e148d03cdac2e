import type { HubMiner } from '../miners/index.js'
import { ID_HEADER } from './early-answers.js'
import { isKept } from './note-record.js'
import type { ServeDeps, Served } from './types.js'

/** What every answer says about how it came about. */
export function answerHeaders(
  served: Served,
  miner: HubMiner,
  contentType: string,
  deps: Pick<ServeDeps, 'isRetaining'>,
): Record<string, string> {
  const { id, progress } = served
  return {
    'content-type': contentType,
    'cache-control': 'no-cache',
    // nginx would otherwise hold a stream back.
    'x-accel-buffering': 'no',
    [ID_HEADER]: id,
    'x-targon-miner-uid': String(miner.uid),
    'x-targon-attempts': String(progress.attempts),
    'x-targon-verified': isKept(served, deps) ? 'pending' : 'no',
  }
}
