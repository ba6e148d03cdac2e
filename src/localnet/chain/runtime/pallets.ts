import type { Pallet } from '../metadata/index.js'
import { at, type Infer, struct, u16, u32, u64, type VariantEntries, variant, vec } from '../scale/index.js'
import { type AnyItem, palletItems, plain } from '../storage/index.js'
import { commitments } from './commitments.js'
import type { Dialect } from './dialects.js'
import { drand, drandErrors, drandEvents } from './drand.js'
import { subtensor, subtensorCallsOf, subtensorEvents } from './subtensor.js'
import * as base from './system.js'
import { h256, phase, runtimeVersion } from './types.js'

export interface RuntimeParameters {
  readonly blockTimeMs: number
  /** How many block hashes the chain remembers, which limits the period of a mortal era. */
  readonly blockHashCount: number
}

export type PalletTypes = ReturnType<typeof palletTypesOf>

/** Calls, events and errors of SubtensorModule in a dialect, and the outer enums of all pallets. */
export function palletTypesOf({ omitted, eventIndexes, errors, maxCommitBytes }: Dialect) {
  const subtensorTypes = {
    calls: variant('pallet_subtensor::pallet::Call', select(subtensorCallsOf(maxCommitBytes), omitted)),
    events: variant('pallet_subtensor::pallet::Event', select(subtensorEvents, omitted, eventIndexes)),
    errors: variant('pallet_subtensor::pallet::Error', errorVariants(errors)),
  }
  const call = variant('node_subtensor_runtime::RuntimeCall', {
    System: at(0, [base.systemCalls]),
    Timestamp: at(2, [base.timestampCalls]),
    Balances: at(5, [base.balancesCalls]),
    SubtensorModule: at(7, [subtensorTypes.calls]),
  })
  const event = variant('node_subtensor_runtime::RuntimeEvent', {
    System: at(0, [base.systemEvents]),
    Balances: at(5, [base.balancesEvents]),
    TransactionPayment: at(6, [base.transactionPaymentEvents]),
    SubtensorModule: at(7, [subtensorTypes.events]),
    Drand: at(26, [drandEvents]),
  })
  const error = variant('node_subtensor_runtime::RuntimeError', {
    System: at(0, [base.systemErrors]),
    Balances: at(5, [base.balancesErrors]),
    SubtensorModule: at(7, [subtensorTypes.errors]),
    Drand: at(26, [drandErrors]),
  })
  const eventRecord = struct(
    'frame_system::EventRecord',
    { phase, event, topics: vec(h256) },
    { E: event, T: h256 },
  )
  const { Events } = palletItems('System', { Events: plain(vec(eventRecord), []) })
  return { subtensor: subtensorTypes, call, event, error, events: Events }
}

/** The pallets of a dialect, in the order of their indexes. */
export function palletsOf(
  dialect: Dialect,
  types: PalletTypes,
  version: Infer<typeof runtimeVersion>,
  { blockTimeMs, blockHashCount }: RuntimeParameters,
): readonly Pallet[] {
  const itemsOf = (storage: Readonly<Record<string, AnyItem>>) =>
    Object.values(storage).filter((item) => !dialect.omitted.includes(item.name))
  const minimumPeriod = BigInt(Math.max(1, Math.floor(blockTimeMs / 2)))
  return [
    {
      name: 'System',
      index: 0,
      storage: itemsOf({ ...base.system, Events: types.events }),
      calls: base.systemCalls,
      events: base.systemEvents,
      errors: base.systemErrors,
      constants: [
        { name: 'BlockHashCount', type: u32, value: blockHashCount },
        { name: 'Version', type: runtimeVersion, value: version },
        { name: 'SS58Prefix', type: u16, value: 42 },
      ],
    },
    {
      name: 'Timestamp',
      index: 2,
      storage: itemsOf(base.timestamp),
      calls: base.timestampCalls,
      constants: [{ name: 'MinimumPeriod', type: u64, value: minimumPeriod }],
    },
    {
      name: 'Balances',
      index: 5,
      storage: itemsOf(base.balances),
      calls: base.balancesCalls,
      events: base.balancesEvents,
      errors: base.balancesErrors,
      constants: [{ name: 'ExistentialDeposit', type: u64, value: 500n }],
    },
    {
      name: 'TransactionPayment',
      index: 6,
      storage: itemsOf(base.transactionPayment),
      events: base.transactionPaymentEvents,
      constants: [],
    },
    { name: 'SubtensorModule', index: 7, storage: itemsOf(subtensor), ...types.subtensor, constants: [] },
    { name: 'Commitments', index: 18, storage: itemsOf(commitments), constants: [] },
    {
      name: 'Drand',
      index: 26,
      storage: itemsOf(drand),
      events: drandEvents,
      errors: drandErrors,
      constants: [],
    },
  ]
}

/**
 * The variants that exist in a dialect, at the dialect's indexes. The return type still lists all of them, so that
 * pallet code compiles against one type; an omitted variant is never decoded and cannot be encoded.
 */
function select<V extends VariantEntries>(
  entries: V,
  omitted: readonly string[],
  indexes: Readonly<Record<string, number>> = {},
): V {
  const present = Object.entries(entries).filter(([name]) => !omitted.includes(name))
  return Object.fromEntries(
    present.map(([name, entry]) => [name, { ...entry, index: indexes[name] ?? entry.index }]),
  ) as VariantEntries as V
}

function errorVariants(indexes: Readonly<Record<string, number>>): VariantEntries {
  return Object.fromEntries(Object.entries(indexes).map(([name, index]) => [name, at(index, null)]))
}
