import { z } from 'zod'
import { type Chain, RpcError } from '../node/index.js'
import type { EpochConsensus } from '../runtime/index.js'
import { fromHex, toHex } from '../scale/index.js'
import { DispatchError, endow, raoOf } from '../subtensor/index.js'
import { type Faults, SUBMISSION_FAULTS } from './faults.js'
import { accountOf, hexText, type Methods, method, withoutParams } from './method.js'

const MAX_NEW_BLOCKS = 100_000
const MAX_FAILED_SUBMISSIONS = 1000

const faultChanges = z.strictObject({
  silent: z.boolean().optional(),
  delayMs: z.number().int().min(0).max(600_000).optional(),
  refuseConnections: z.boolean().optional(),
  stalled: z.boolean().optional(),
  repeatedHeads: z.boolean().optional(),
  beaconSilent: z.boolean().optional(),
})

/** Changes of the whole chain or its subnet, each in a new block. They throw when the real chain would refuse. */
export interface SubnetActions {
  /** Switches to the runtime of another spec version. @param without names of the parts that the runtime lacks */
  upgrade(specVersion: number, without?: readonly string[]): void
  trimUids(maxUids: number): void
  setConsensus(mode: EpochConsensus): void
}

/** `dev_*`: control of the chain for tests and manual use. */
export function developmentMethods(chain: Chain, faults: Faults, actions: SubnetActions): Methods {
  const headHash = () => toHex(chain.head.hash)
  return {
    dev_newBlock: method(
      z.tuple([z.number().int().min(1).max(MAX_NEW_BLOCKS)]).or(z.tuple([])),
      ([count = 1]) => {
        for (let made = 0; made < count; made++) chain.produceBlock()
        return headHash()
      },
    ),
    dev_setStorage: method(z.tuple([z.array(z.tuple([hexText, hexText.nullable()]))]), ([entries]) => {
      for (const [key, value] of entries) {
        chain.state.put(key.toLowerCase(), value === null ? undefined : fromHex(value))
      }
      chain.produceBlock()
      return headHash()
    }),
    dev_endow: method(z.tuple([z.string(), z.number().positive()]), ([address, tao]) => {
      endow(chain.storage, accountOf(address), raoOf(tao))
      chain.produceBlock()
      return headHash()
    }),
    dev_upgrade: method(
      z.tuple([z.number().int(), z.array(z.string())]).or(z.tuple([z.number().int()])),
      ([specVersion, without]) => {
        orInvalid(() => actions.upgrade(specVersion, without))
        return headHash()
      },
    ),
    dev_trimUids: method(z.tuple([z.number().int().min(1).max(65_535)]), ([maxUids]) => {
      orInvalid(() => actions.trimUids(maxUids))
      return headHash()
    }),
    dev_setConsensus: method(z.tuple([z.enum(['Yuma', 'Null'])]), ([mode]) => {
      orInvalid(() => actions.setConsensus(mode))
      return headHash()
    }),
    dev_fault: method(z.tuple([faultChanges]), ([changes]) => {
      faults.set(changes)
      return { ...faults.settings }
    }),
    dev_failSubmissions: method(
      z
        .tuple([z.enum(SUBMISSION_FAULTS), z.number().int().min(1).max(MAX_FAILED_SUBMISSIONS)])
        .or(z.tuple([z.enum(SUBMISSION_FAULTS)])),
      ([fault, count = 1]) => {
        faults.failSubmissions(fault, count)
        return null
      },
    ),
    dev_dropConnections: withoutParams(() => {
      setImmediate(() => faults.dropConnections())
      return null
    }),
    dev_clearFaults: withoutParams(() => {
      faults.clear()
      return null
    }),
  }
}

/** @throws RpcError -32602 when the chain refuses the change */
function orInvalid(change: () => void): void {
  try {
    change()
  } catch (error) {
    const isRefusal = error instanceof RangeError || error instanceof DispatchError
    throw isRefusal ? new RpcError(-32602, 'Invalid params', error.message) : error
  }
}
