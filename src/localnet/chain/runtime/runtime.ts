import {
  buildMetadata,
  type MetadataVersions,
  type Pallet,
  type RuntimeApi,
  type RuntimeShape,
} from '../metadata/index.js'
import {
  at,
  bytes,
  type Infer,
  newtype,
  type ScaleType,
  struct,
  tuple,
  u16,
  u32,
  u64,
  units,
  type VariantEntries,
  variant,
  vec,
} from '../scale/index.js'
import { type AnyItem, apiId, placeItems, plain } from '../storage/index.js'
import { runtimeApis } from './apis.js'
import type { Dialect } from './dialects.js'
import { drand, drandErrors, drandEvents } from './drand.js'
import { extensionsWithout } from './extensions.js'
import { subtensorCalls } from './subtensor-calls.js'
import { subtensorEvents } from './subtensor-events.js'
import { subtensor } from './subtensor-storage.js'
import * as base from './system.js'
import { h256, multiAddress, multiSignature, phase, runtimeMarker, runtimeVersion } from './types.js'

export interface RuntimeParameters {
  readonly blockTimeMs: number
  /** Blocks whose hash stays known: the longest life of a mortal extrinsic. */
  readonly blockHashCount: number
}

/** A runtime of one dialect: its types, its metadata and its version. */
export type Runtime = ReturnType<typeof createRuntime>
export type RuntimeCall = Infer<Runtime['call']>
export type RuntimeEvent = Infer<Runtime['event']>

export function createRuntime(dialect: Dialect, parameters: RuntimeParameters) {
  const omitted = new Set(dialect.omitted)
  const calls = variant('pallet_subtensor::pallet::Call', select(subtensorCalls, omitted))
  const events = variant(
    'pallet_subtensor::pallet::Event',
    select(subtensorEvents, omitted, dialect.eventIndexes),
  )
  const errors = variant('pallet_subtensor::pallet::Error', units(...dialect.errors))
  const systemCall = variant('frame_system::pallet::Call', base.systemCalls)
  const systemEvent = variant('frame_system::pallet::Event', base.systemEvents)
  const systemError = variant('frame_system::pallet::Error', base.systemErrors)
  const timestampCall = variant('pallet_timestamp::pallet::Call', base.timestampCalls)
  const balancesCall = variant('pallet_balances::pallet::Call', base.balancesCalls)
  const balancesEvent = variant('pallet_balances::pallet::Event', base.balancesEvents)
  const balancesError = variant('pallet_balances::pallet::Error', base.balancesErrors)
  const paymentEvent = variant('pallet_transaction_payment::pallet::Event', base.transactionPaymentEvents)
  const drandEvent = variant('pallet_drand::pallet::Event', drandEvents)
  const drandError = variant('pallet_drand::pallet::Error', drandErrors)

  const call = variant('node_subtensor_runtime::RuntimeCall', {
    System: at(0, [systemCall]),
    Timestamp: at(2, [timestampCall]),
    Balances: at(5, [balancesCall]),
    SubtensorModule: at(7, [calls]),
  })
  const event = variant('node_subtensor_runtime::RuntimeEvent', {
    System: at(0, [systemEvent]),
    Balances: at(5, [balancesEvent]),
    TransactionPayment: at(6, [paymentEvent]),
    SubtensorModule: at(7, [events]),
    Drand: at(26, [drandEvent]),
  })
  const error = variant('node_subtensor_runtime::RuntimeError', {
    System: at(0, [systemError]),
    Balances: at(5, [balancesError]),
    SubtensorModule: at(7, [errors]),
    Drand: at(26, [drandError]),
  })
  const eventRecord = struct(
    'frame_system::EventRecord',
    { phase, event, topics: vec(h256) },
    { E: event, T: h256 },
  )
  const eventItems = placeItems('System', { Events: plain(vec(eventRecord), []) })

  const extensions = extensionsWithout(dialect.omitted)
  const extra = tuple(...extensions.map((extension) => extension.extra))
  const extrinsic = extrinsicType({
    Address: multiAddress,
    Call: call,
    Signature: multiSignature,
    Extension: extra,
  })
  const apis = selectApis(runtimeApis(extrinsic, dialect.epochs === 'stateful'), omitted)
  const version: Infer<typeof runtimeVersion> = {
    spec_name: 'node-subtensor',
    impl_name: 'node-subtensor',
    authoring_version: 1,
    spec_version: dialect.specVersion,
    impl_version: 1,
    apis: apis.map((api) => [apiId(api.name), api.version] as const),
    transaction_version: dialect.transactionVersion,
    system_version: 1,
  }
  const items = (storage: Readonly<Record<string, AnyItem>>) =>
    Object.values(storage).filter((item) => !omitted.has(item.name))
  const pallets: readonly Pallet[] = [
    {
      name: 'System',
      index: 0,
      storage: items({ ...base.system, ...eventItems }),
      calls: systemCall,
      events: systemEvent,
      errors: systemError,
      constants: [
        { name: 'BlockHashCount', type: u32, value: parameters.blockHashCount },
        { name: 'Version', type: runtimeVersion, value: version },
        { name: 'SS58Prefix', type: u16, value: 42 },
      ],
    },
    {
      name: 'Timestamp',
      index: 2,
      storage: items(base.timestamp),
      calls: timestampCall,
      constants: [
        {
          name: 'MinimumPeriod',
          type: u64,
          value: BigInt(Math.max(1, Math.floor(parameters.blockTimeMs / 2))),
        },
      ],
    },
    {
      name: 'Balances',
      index: 5,
      storage: items(base.balances),
      calls: balancesCall,
      events: balancesEvent,
      errors: balancesError,
      constants: [{ name: 'ExistentialDeposit', type: u64, value: 500n }],
    },
    {
      name: 'TransactionPayment',
      index: 6,
      storage: items(base.transactionPayment),
      events: paymentEvent,
      constants: [],
    },
    {
      name: 'SubtensorModule',
      index: 7,
      storage: items(subtensor),
      calls,
      events,
      errors,
      constants: [],
    },
    {
      name: 'Drand',
      index: 26,
      storage: items(drand),
      events: drandEvent,
      errors: drandError,
      constants: [],
    },
  ]
  const shape: RuntimeShape = {
    pallets,
    apis,
    extensions,
    types: {
      runtime: runtimeMarker,
      address: multiAddress,
      signature: multiSignature,
      call,
      event,
      error,
      extra,
      extrinsic,
    },
  }
  const metadata: MetadataVersions = buildMetadata(shape)
  return { dialect, version, shape, metadata, call, event, events: eventItems.Events }
}

/** The entries a dialect has, with its indexes. The type still names all of them: absent ones never occur. */
function select<V extends VariantEntries>(
  entries: V,
  omitted: ReadonlySet<string>,
  indexes: Readonly<Record<string, number>> = {},
): V {
  const present = Object.entries(entries).filter(([name]) => !omitted.has(name))
  return Object.fromEntries(
    present.map(([name, entry]) => [name, { ...entry, index: indexes[name] ?? entry.index }]),
  ) as VariantEntries as V
}

function selectApis(apis: readonly RuntimeApi[], omitted: ReadonlySet<string>): readonly RuntimeApi[] {
  return apis.map((api) => ({
    ...api,
    methods: api.methods.filter((method) => !omitted.has(`${api.name}_${method.name}`)),
  }))
}

/** Opaque bytes to the codec; the wrapper and its parameters are what metadata V14 readers look for. */
function extrinsicType(
  params: Readonly<Record<string, RuntimeShape['types']['call']>>,
): ScaleType<Uint8Array> {
  const generic = newtype('sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic', bytes, params)
  return newtype('fp_self_contained::unchecked_extrinsic::UncheckedExtrinsic', generic, params)
}

export type CallOf<P extends RuntimeCall['type']> = Extract<RuntimeCall, { type: P }>['value']
export type EventOf<P extends RuntimeEvent['type']> = Extract<RuntimeEvent, { type: P }>['value']
