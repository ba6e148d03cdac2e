import { system } from '../runtime/index.js'
import { encode, Reader, Writer } from '../scale/index.js'
import {
  alphaPriceOf,
  dynamicInfoOf,
  hyperparametersOf,
  metagraphOf,
  neuron,
  neuronLite,
  neurons,
  neuronsLite,
  nextEpochStartBlock,
  ofAllSubnets,
  type ReadContext,
  selectMetagraph,
  subnetInfoOf,
  subnetStateOf,
} from '../subtensor/index.js'
import type { Block } from './block.js'
import type { Chain } from './chain.js'
import { INVALID_REASONS, InvalidTransaction, RpcError } from './rpc-error.js'
import { feeOf } from './validity.js'

/** The decoded arguments of a runtime API method. */
class Arguments {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  number(name: string): number {
    return Number(this.#values[name])
  }

  numbers(name: string): readonly number[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(Number) : []
  }

  bytes(name: string): Uint8Array {
    const value = this.#values[name]
    if (!(value instanceof Uint8Array)) throw new Error(`${name} is not bytes`)
    return value
  }
}

/**
 * Calls a runtime API method on the state after a block (`state_call`).
 *
 * @throws RpcError 4003 when the runtime of that block has no such method
 */
export function callRuntimeApi(chain: Chain, block: Block, name: string, input: Uint8Array): Uint8Array {
  const api = block.runtime.definition.apis.find((candidate) => name.startsWith(`${candidate.name}_`))
  const method = api?.methods.find((candidate) => name === `${api.name}_${candidate.name}`)
  if (!method) {
    throw new RpcError(4003, `Client error: Execution failed: Other: Exported method ${name} is not found`)
  }
  if (name.startsWith('TransactionPaymentApi_')) return encode(method.output, queryFee(name, input))
  const reader = new Reader(input)
  const values = Object.entries(method.inputs).map(([key, type]) => [key, type.decode(reader)] as const)
  reader.expectEnd()
  return encode(method.output, execute(chain, block, name, new Arguments(Object.fromEntries(values))))
}

type View = (context: ReadContext, args: Arguments) => unknown

function byNetuid(view: (context: ReadContext, netuid: number) => unknown): View {
  return (context, args) => view(context, args.number('netuid'))
}

/** What is read of the state alone. */
const VIEWS: Readonly<Record<string, View>> = {
  NeuronInfoRuntimeApi_get_neurons: byNetuid(neurons),
  NeuronInfoRuntimeApi_get_neurons_lite: byNetuid(neuronsLite),
  NeuronInfoRuntimeApi_get_neuron: (context, args) =>
    neuron(context, args.number('netuid'), args.number('uid')),
  NeuronInfoRuntimeApi_get_neuron_lite: (context, args) =>
    neuronLite(context, args.number('netuid'), args.number('uid')),
  SubnetInfoRuntimeApi_get_subnet_hyperparams: byNetuid(hyperparametersOf),
  SubnetInfoRuntimeApi_get_subnet_info_v2: byNetuid(subnetInfoOf),
  SubnetInfoRuntimeApi_get_subnets_info_v2: (context) => ofAllSubnets(context, subnetInfoOf),
  SubnetInfoRuntimeApi_get_dynamic_info: byNetuid(dynamicInfoOf),
  SubnetInfoRuntimeApi_get_all_dynamic_info: (context) => ofAllSubnets(context, dynamicInfoOf),
  SubnetInfoRuntimeApi_get_subnet_state: byNetuid(subnetStateOf),
  SubnetInfoRuntimeApi_get_metagraph: byNetuid((context, netuid) => metagraphOf(context, netuid, 0)),
  SubnetInfoRuntimeApi_get_mechagraph: (context, args) =>
    metagraphOf(context, args.number('netuid'), args.number('mecid')),
  SubnetInfoRuntimeApi_get_selective_metagraph: (context, args) =>
    selectMetagraph(metagraphOf(context, args.number('netuid'), 0), args.numbers('metagraph_indexes')),
  SubnetInfoRuntimeApi_get_selective_mechagraph: (context, args) =>
    selectMetagraph(
      metagraphOf(context, args.number('netuid'), args.number('subid')),
      args.numbers('metagraph_indexes'),
    ),
  SubnetInfoRuntimeApi_get_next_epoch_start_block: byNetuid(nextEpochStartBlock),
  SwapRuntimeApi_current_alpha_price: byNetuid(alphaPriceOf),
  SwapRuntimeApi_current_alpha_price_all: (context) =>
    ofAllSubnets(context, (at, netuid) => ({ netuid, price: alphaPriceOf(at, netuid) })),
}

function execute(chain: Chain, block: Block, name: string, args: Arguments): unknown {
  const context: ReadContext = {
    storage: chain.readerAt(block),
    block: block.number,
    dialect: block.runtime.dialect,
  }
  const { metadata, version } = block.runtime
  const view = VIEWS[name]
  if (view) return view(context, args)
  switch (name) {
    case 'Core_version':
      return version
    case 'Metadata_metadata':
      return metadata[14]
    case 'Metadata_metadata_versions':
      return Object.keys(metadata).map(Number)
    case 'Metadata_metadata_at_version':
      return new Map(Object.entries(metadata)).get(String(args.number('version')))
    case 'AccountNonceApi_account_nonce':
      return context.storage.get(system.Account, args.bytes('account')).nonce
    case 'TaggedTransactionQueue_validate_transaction':
      return validateTransaction(chain, args.bytes('tx'))
    default:
      throw new Error(`${name} is in the metadata but not implemented`)
  }
}

/** The input is the extrinsic without its length prefix, followed by its length as u32. */
function queryFee(name: string, input: Uint8Array): unknown {
  const fee = feeOf(input.length - 4)
  if (name === 'TransactionPaymentApi_query_info') {
    return {
      weight: { ref_time: 1_000_000n, proof_size: 0n },
      class: { type: 'Normal', value: undefined },
      partial_fee: fee,
    }
  }
  return { inclusion_fee: { base_fee: fee, len_fee: 0n, adjusted_weight_fee: 0n }, tip: 0n }
}

function validateTransaction(chain: Chain, body: Uint8Array): unknown {
  const writer = new Writer()
  writer.compact(body.length)
  writer.bytes(body)
  try {
    chain.validate(writer.finish())
    return {
      type: 'Ok',
      value: { priority: 0n, requires: [], provides: [], longevity: 64n, propagate: true },
    }
  } catch (error) {
    if (error instanceof InvalidTransaction) return { type: 'Err', value: invalidTransaction(error) }
    if (error instanceof RpcError) {
      return {
        type: 'Err',
        value: { type: 'Unknown', value: { type: 'NoUnsignedValidator', value: undefined } },
      }
    }
    throw error
  }
}

function invalidTransaction({ reason }: InvalidTransaction): unknown {
  if (typeof reason === 'object') return { type: 'Invalid', value: { type: 'Custom', value: reason.custom } }
  return { type: 'Invalid', value: { type: INVALID_REASONS[reason].name, value: undefined } }
}
