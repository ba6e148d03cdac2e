import { z } from 'zod'
import { type Chain, feeOf, type TransactionStatus } from '../node/index.js'
import { toHex } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import { type Faults, submissionErrorOf } from './faults.js'
import { hexBytes, hexNumber, type Methods, method, withoutParams } from './method.js'

export function authorMethods(chain: Chain, faults: Faults): Methods {
  return {
    author_submitExtrinsic: method(z.tuple([hexBytes]), ([bytes]) => submitExtrinsic(chain, faults, bytes)),
    author_pendingExtrinsics: withoutParams(() =>
      chain.pool.entries.map((entry) => toHex(entry.extrinsic.bytes)),
    ),
    payment_queryInfo: method(z.tuple([hexBytes]).rest(z.unknown()), ([bytes]) => ({
      weight: { ref_time: 1_000_000, proof_size: 0 },
      class: 'normal',
      partialFee: String(feeOf(bytes.length)),
    })),
    payment_queryFeeDetails: method(z.tuple([hexBytes]).rest(z.unknown()), ([bytes]) => ({
      inclusionFee: { baseFee: hexNumber(feeOf(bytes.length)), lenFee: '0x0', adjustedWeightFee: '0x0' },
    })),
  }
}

/**
 * Submits an extrinsic to the pool, subject to the next submission fault.
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
  const error = fault && submissionErrorOf(fault)
  if (error) throw error
  if (fault === 'swallowed') {
    onStatus?.('ready')
    return toHex(blake2b256(bytes))
  }
  const hash = chain.submit(bytes, onStatus)
  if (fault === 'lost-reply') faults.dropConnections()
  return hash
}
