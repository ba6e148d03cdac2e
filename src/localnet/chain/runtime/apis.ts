import type { ApiMethod, RuntimeApi } from '../metadata/index.js'
import { type AnyType, compactU64, option, type ScaleType, u8, u16, u32, u64, vec } from '../scale/index.js'
import type { Dialect } from './dialects.js'
import { hyperparametersType, metagraphType, selectiveMetagraphType, u16Cutoff } from './metagraph-types.js'
import { neuronInfo, neuronInfoLite } from './neuron-types.js'
import { opaque } from './opaque.js'
import { dispatchInfo, feeDetails, transactionSource, transactionValidity } from './outcome-types.js'
import { dynamicInfo, subnetInfo, subnetPrice, subnetState } from './subnet-types.js'
import { accountId, h256, opaqueMetadata, runtimeVersion } from './types.js'

function method(name: string, inputs: { readonly [name: string]: AnyType }, output: AnyType): ApiMethod {
  return { name, inputs, output }
}

/** The runtime APIs of all dialects, with the types of one. */
export function runtimeApis(
  extrinsic: ScaleType<Uint8Array>,
  { epochs, hasCollateral, hasOpaqueResults }: Pick<Dialect, 'epochs' | 'hasCollateral' | 'hasOpaqueResults'>,
): readonly RuntimeApi[] {
  // The activity cutoff grew from 16 to 64 bits with the stateful epochs.
  const cutoff = epochs === 'stateful' ? compactU64 : u16Cutoff
  const metagraph = metagraphType(cutoff, hasCollateral)
  const selectiveMetagraph = selectiveMetagraphType(cutoff, hasCollateral)
  const byNetuid = { netuid: u16 }
  return [
    { name: 'Core', version: 5, methods: [method('version', {}, runtimeVersion)] },
    {
      name: 'Metadata',
      version: 2,
      methods: [
        method('metadata', {}, opaqueMetadata),
        method('metadata_at_version', { version: u32 }, option(opaqueMetadata)),
        method('metadata_versions', {}, vec(u32)),
      ],
    },
    { name: 'AccountNonceApi', version: 1, methods: [method('account_nonce', { account: accountId }, u32)] },
    {
      name: 'TransactionPaymentApi',
      version: 4,
      methods: [
        method('query_info', { uxt: extrinsic, len: u32 }, dispatchInfo),
        method('query_fee_details', { uxt: extrinsic, len: u32 }, feeDetails),
      ],
    },
    {
      name: 'TaggedTransactionQueue',
      version: 3,
      methods: [
        method(
          'validate_transaction',
          { source: transactionSource, tx: extrinsic, block_hash: h256 },
          transactionValidity,
        ),
      ],
    },
    neuronInfoApi(hasOpaqueResults),
    {
      name: 'SubnetInfoRuntimeApi',
      version: 2,
      methods: [
        method('get_subnet_info_v2', byNetuid, option(subnetInfo)),
        method('get_subnets_info_v2', {}, vec(option(subnetInfo))),
        method(
          'get_subnet_hyperparams',
          byNetuid,
          hasOpaqueResults ? opaque(hyperparametersType(cutoff)) : option(hyperparametersType(cutoff)),
        ),
        method('get_all_dynamic_info', {}, vec(option(dynamicInfo))),
        method('get_dynamic_info', byNetuid, option(dynamicInfo)),
        method('get_subnet_state', byNetuid, option(subnetState)),
        method('get_metagraph', byNetuid, option(metagraph)),
        method('get_mechagraph', { netuid: u16, mecid: u8 }, option(metagraph)),
        method(
          'get_selective_metagraph',
          { netuid: u16, metagraph_indexes: vec(u16) },
          option(selectiveMetagraph),
        ),
        method(
          'get_selective_mechagraph',
          { netuid: u16, subid: u8, metagraph_indexes: vec(u16) },
          option(selectiveMetagraph),
        ),
        method('get_next_epoch_start_block', byNetuid, option(u64)),
      ],
    },
    {
      name: 'SwapRuntimeApi',
      version: 1,
      methods: [
        method('current_alpha_price', byNetuid, u64),
        method('current_alpha_price_all', {}, vec(subnetPrice)),
      ],
    },
  ]
}

function neuronInfoApi(hasOpaqueResults: boolean): RuntimeApi {
  const all = (type: AnyType) => (hasOpaqueResults ? opaque(vec(type)) : vec(type))
  const one = (type: AnyType) => (hasOpaqueResults ? opaque(type) : option(type))
  const byUid = { netuid: u16, uid: u16 }
  return {
    name: 'NeuronInfoRuntimeApi',
    version: 1,
    methods: [
      method('get_neurons', { netuid: u16 }, all(neuronInfo)),
      method('get_neuron', byUid, one(neuronInfo)),
      method('get_neurons_lite', { netuid: u16 }, all(neuronInfoLite)),
      method('get_neuron_lite', byUid, one(neuronInfoLite)),
    ],
  }
}
