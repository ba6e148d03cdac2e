import { type Runtime, type RuntimeCall, type RuntimeEvent, system } from '../runtime/index.js'
import { blake2b256, type State } from '../storage/index.js'
import { DispatchError, dispatchCall, type PalletContext, transfer } from '../subtensor/index.js'
import type { SignedExtrinsic } from './extrinsic.js'
import { paysNoFee, type ValidTransaction } from './validity.js'

type EventRecord = Runtime['events']['fallback'][number]
export type Phase = EventRecord['phase']

/** Events of the block being built. */
export class EventLog {
  readonly #records: EventRecord[] = []
  phase: Phase = { type: 'Initialization', value: undefined }

  get records(): readonly EventRecord[] {
    return this.#records
  }

  deposit(event: RuntimeEvent): void {
    this.#records.push({ phase: this.phase, event, topics: [] })
  }

  get length(): number {
    return this.#records.length
  }

  /** Drops the events after the first `length`. */
  truncate(length: number): void {
    this.#records.length = length
  }
}

/** Applies a validated extrinsic: withdraws its fee, dispatches its call and deposits its events. */
export function applyExtrinsic(
  context: PalletContext,
  state: State,
  events: EventLog,
  runtime: Runtime,
  { extrinsic, validity }: { readonly extrinsic: SignedExtrinsic; readonly validity: ValidTransaction },
): void {
  const { storage } = context
  const { account, feeRao } = validity
  const info = storage.get(system.Account, account)
  const data = { ...info.data, free: info.data.free - feeRao }
  storage.set(system.Account, { ...info, nonce: info.nonce + 1, data }, account)
  if (feeRao > 0n) {
    events.deposit({
      type: 'Balances',
      value: { type: 'Withdraw', value: { who: account, amount: feeRao } },
    })
  }

  const failure = dispatchTransactional(context, state, events, account, extrinsic.call)
  if (feeRao > 0n) {
    const value = { who: account, actual_fee: feeRao, tip: extrinsic.extra.tip }
    events.deposit({ type: 'TransactionPayment', value: { type: 'TransactionFeePaid', value } })
  }
  const dispatchInfo = dispatchInfoOf('Normal', !paysNoFee(extrinsic.call))
  if (!failure) {
    const value = { dispatch_info: dispatchInfo }
    events.deposit({ type: 'System', value: { type: 'ExtrinsicSuccess', value } })
    return
  }
  const value = { dispatch_error: dispatchErrorOf(runtime, failure), dispatch_info: dispatchInfo }
  events.deposit({ type: 'System', value: { type: 'ExtrinsicFailed', value } })
}

export function dispatchInfoOf(dispatchClass: 'Normal' | 'Mandatory', paysFee: boolean) {
  return {
    weight: { ref_time: 1_000_000n, proof_size: 0n },
    class: { type: dispatchClass, value: undefined },
    pays_fee: { type: paysFee ? 'Yes' : 'No', value: undefined },
  } as const
}

/** Dispatches a call. If it fails, rolls back its writes and events and returns the error. */
function dispatchTransactional(
  context: PalletContext,
  state: State,
  events: EventLog,
  account: Uint8Array,
  call: RuntimeCall,
): DispatchError | undefined {
  const mark = events.length
  try {
    state.transact(() => dispatch(context, account, call))
    return undefined
  } catch (error) {
    events.truncate(mark)
    if (error instanceof DispatchError) return error
    throw error
  }
}

function dispatch(context: PalletContext, account: Uint8Array, call: RuntimeCall): void {
  switch (call.type) {
    case 'SubtensorModule':
      dispatchCall(context, account, call.value)
      break
    case 'System':
      if (call.value.type === 'remark_with_event') {
        const value = { sender: account, hash: blake2b256(call.value.value.remark) }
        context.deposit({ type: 'System', value: { type: 'Remarked', value } })
      }
      break
    case 'Balances': {
      const { dest, value } = call.value.value
      if (dest.type !== 'Id') throw new DispatchError('CallFiltered', 'System')
      transfer(context, account, dest.value, value)
      break
    }
    default:
      throw new DispatchError('CallFiltered', 'System')
  }
}

function dispatchErrorOf(runtime: Runtime, failure: DispatchError) {
  const pallet = runtime.definition.pallets.find(({ name }) => name === failure.pallet)
  const definition = pallet?.errors?.describe().definition
  const variants = definition?.kind === 'variant' ? definition.variants : []
  const error = variants.find(({ name }) => name === failure.error)
  // The dialect does not have this error; the real runtime would have returned a different one.
  if (!pallet || !error) return { type: 'Other', value: undefined } as const
  return {
    type: 'Module',
    value: { index: pallet.index, error: Uint8Array.of(error.index, 0, 0, 0) },
  } as const
}
