import type { CallArguments, SubtensorCall } from '../runtime/index.js'
import { serveAxon } from './axons.js'
import { commitTimelocked, timelockedCommitOf } from './commits.js'
import { DispatchError, type PalletContext } from './context.js'
import { burnedRegister } from './registration.js'
import { addStake, removeStake } from './stake.js'
import { dispatchSetWeights } from './weights.js'

/** Dispatches a call of SubtensorModule on behalf of its signer. @throws DispatchError */
export function dispatchCall(context: PalletContext, signer: Uint8Array, call: SubtensorCall): void {
  switch (call.type) {
    case 'set_weights':
      dispatchSetWeights(context, signer, weightVectorOf(call.value, 0))
      break
    case 'set_mechanism_weights':
      dispatchSetWeights(context, signer, weightVectorOf(call.value, call.value.mecid))
      break
    case 'serve_axon':
      serveAxon(context, signer, call.value)
      break
    case 'burned_register':
    case 'register':
      burnedRegister(context, signer, call.value)
      break
    case 'commit_crv3_weights':
    case 'commit_timelocked_weights':
      commitTimelocked(context, signer, timelockedCommitOf(call.value, 0))
      break
    case 'commit_crv3_mechanism_weights':
    case 'commit_timelocked_mechanism_weights':
      commitTimelocked(context, signer, timelockedCommitOf(call.value, call.value.mecid))
      break
    case 'add_stake':
      addStake(context, signer, call.value)
      break
    case 'remove_stake':
      removeStake(context, signer, call.value)
      break
    default:
      throw new DispatchError('CallFiltered', 'System')
  }
}

function weightVectorOf(
  { netuid, dests, weights, version_key }: CallArguments<'set_weights'>,
  mecid: number,
) {
  return { netuid, mecid, dests, weights, versionKey: version_key }
}
