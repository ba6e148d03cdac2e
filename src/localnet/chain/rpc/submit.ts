import type { Chain, TransactionStatus } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import { type Faults, submissionErrorOf } from './faults.js'

/**
 * Hands a transaction to the pool, unless a fault is waiting for it.
 *
 * @throws RpcError
 */
export function submitExtrinsic(
  chain: Chain,
  faults: Faults,
  bytes: Uint8Array,
  onStatus?: (status: TransactionStatus) => void,
): string {
  const fault = faults.takeSubmissionFault()
  const refusal = fault && submissionErrorOf(fault)
  if (refusal) throw refusal
  if (fault === 'swallowed') {
    onStatus?.('ready')
    return toHex(blake2b256(bytes))
  }
  const hash = chain.submit(bytes, onStatus)
  if (fault === 'lost-reply') faults.dropConnections()
  return hash
}
