import { z } from 'zod'
import { type Chain, feeOf } from '../node/index.js'
import { toHex } from '../scale/index.js'
import type { Faults } from './faults.js'
import { hexBytes, hexNumber, type Methods, method, withoutParams } from './method.js'
import { submitExtrinsic } from './submit.js'

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
