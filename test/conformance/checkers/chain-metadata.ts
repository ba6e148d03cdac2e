import type { RuntimeTypes } from '../../../src/chain/metadata.js'
import { openRpc } from '../../../src/chain/rpc.js'
import { camelCase, loadRuntime } from '../../../src/chain/runtime.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { startDevelopmentChain } from '../../../src/localnet/chain/index.js'
import { dialectOf } from '../../../src/localnet/chain/runtime/index.js'
import { readMetadataFile, startRecordedNode } from '../../support/recorded-node.js'
import type { Checker, DataFile } from '../checker.js'

/** Everything the client uses of a runtime, by name. */
const CALLS = [
  'serve_axon',
  'set_weights',
  'set_mechanism_weights',
  'commit_timelocked_weights',
  'commit_timelocked_mechanism_weights',
]
const STORAGE = [
  ['SubtensorModule', 'Uids'],
  ['SubtensorModule', 'Axons'],
  ['SubtensorModule', 'Weights'],
  ['SubtensorModule', 'LastUpdate'],
  ['SubtensorModule', 'ValidatorTrust'],
  ['SubtensorModule', 'ValidatorPermit'],
  ['SubtensorModule', 'SubnetworkN'],
  ['SubtensorModule', 'MinAllowedWeights'],
  ['SubtensorModule', 'MaxWeightsLimit'],
  ['SubtensorModule', 'WeightsSetRateLimit'],
  ['SubtensorModule', 'WeightsVersionKey'],
  ['SubtensorModule', 'CommitRevealWeightsEnabled'],
  ['SubtensorModule', 'CommitRevealWeightsVersion'],
  ['SubtensorModule', 'RevealPeriodEpochs'],
  ['SubtensorModule', 'Tempo'],
  ['SubtensorModule', 'BlocksSinceLastStep'],
  ['SubtensorModule', 'LastEpochBlock'],
  ['SubtensorModule', 'PendingEpochAt'],
  ['SubtensorModule', 'SubnetEpochIndex'],
  ['Drand', 'BeaconConfig'],
  ['System', 'Account'],
  ['System', 'Events'],
  ['Timestamp', 'Now'],
] as const
const APIS = [
  ['SubnetInfoRuntimeApi', 'get_metagraph'],
  ['SubnetInfoRuntimeApi', 'get_selective_metagraph'],
  ['NeuronInfoRuntimeApi', 'get_neurons_lite'],
] as const
const ERRORS = [
  'SettingWeightsTooFast',
  'ServingRateLimitExceeded',
  'IncorrectWeightVersionKey',
  'NeuronNoValidatorPermit',
  'NotEnoughStakeToSetWeights',
  'HotKeyNotRegisteredInSubNet',
  'HotKeyNotRegisteredInNetwork',
  'CommitRevealEnabled',
  'CommitRevealDisabled',
  'IncorrectCommitRevealVersion',
  'InvalidRevealRound',
  'WeightVecNotEqualSize',
  'DuplicateUids',
  'UidVecContainInvalidOne',
  'WeightVecLengthIsLow',
  'UidsLengthExceedUidsInSubNet',
  'InvalidIpType',
  'InvalidIpAddress',
  'InvalidPort',
  'CommittingWeightsTooFast',
  'TooManyUnrevealedCommits',
  'HotKeyAccountNotExists',
  'SubnetNotExists',
  'MechanismDoesNotExist',
  'MaxWeightExceeded',
  // Since spec 474: absent from both otherwise.
  'CommitPayloadTooLarge',
  'CommitQueueFull',
]
/** Newer than the oldest metadata; absence from both counts as agreement. */
const YOUNG = ['LastEpochBlock', 'PendingEpochAt', 'SubnetEpochIndex']

interface Fact {
  readonly id: string
  readonly metadata: NonNullable<ReturnType<typeof readMetadataFile>>
  read(api: RuntimeTypes): unknown
}

/** Compares real metadata of any version with the development chain's, for everything the client relies on. */
export const checker: Checker = {
  vectors: 'runtime-metadata',
  rules: {
    'fast-blocks-tempo':
      'a fast-blocks build of the runtime defaults Tempo to 10; finney and the development chain to 360',
    'appended-columns':
      'a runtime newer than every dialect may append columns after those the client reads by name; they change nothing it reads',
  },
  cases: (file: DataFile) => {
    if (file.json !== undefined) return undefined
    const metadata = readMetadataFile(file.bytes)
    if (!metadata) return undefined
    const facts: Omit<Fact, 'metadata'>[] = [
      ...CALLS.map((name) => ({ id: `call ${name}`, read: (api: RuntimeTypes) => callFacts(api, name) })),
      ...STORAGE.map(([pallet, item]) => ({
        id: `storage ${pallet}.${item}`,
        read: (api: RuntimeTypes) => storageFacts(api, pallet, item),
      })),
      ...APIS.map(([trait, method]) => ({
        id: `runtime API ${trait}.${method}`,
        read: (api: RuntimeTypes) => apiFacts(api, trait, method),
      })),
      ...ERRORS.map((name) => ({ id: `error ${name}`, read: (api: RuntimeTypes) => hasError(api, name) })),
    ]
    return facts.map((fact) => ({ ...fact, metadata }))
  },
  async check({ id, metadata, read }: Fact) {
    const real = await realRuntime(metadata)
    const development = await developmentRuntime(real)
    const [realFacts, ourFacts] = [read(real), read(development)]
    const [theirs, ours] = [JSON.stringify(realFacts), JSON.stringify(ourFacts)]
    // an error may be newer than the runtime; the dialect must then lack it as well
    const isYoung = YOUNG.some((name) => id.endsWith(`.${name}`))
    const agrees = theirs === ours && (theirs !== undefined || isYoung)
    if (agrees) return { agrees }
    if (theirs === ours?.replace(TEMPO_360, TEMPO_10)) return { agrees, explainedBy: 'fast-blocks-tempo' }
    if (isUnmodelled(real) && extendsColumns(realFacts, ourFacts))
      return { agrees, explainedBy: 'appended-columns' }
    return { agrees, detail: `${id}: real ${theirs?.slice(0, 400)}, ours ${ours?.slice(0, 400)}` }
  },
}

/** The default of `Tempo`, a little-endian u16. */
const [TEMPO_360, TEMPO_10] = ['"fallback":"0x6801"', '"fallback":"0x0a00"']

/** Whether two results of a runtime API agree, except for extra fields at the end of the real one. */
function extendsColumns(real: unknown, ours: unknown): boolean {
  const [theirFields, ourFields] = [real, ours].map(
    (facts) => (facts as { output?: { option?: unknown[][] } } | undefined)?.output?.option?.[0],
  )
  if (!theirFields || !ourFields || theirFields.length <= ourFields.length) return false
  return JSON.stringify(theirFields.slice(0, ourFields.length)) === JSON.stringify(ourFields)
}

const loaded = new Map<unknown, Promise<RuntimeTypes>>()

function realRuntime(metadata: Fact['metadata']): Promise<RuntimeTypes> {
  const known = loaded.get(metadata) ?? loadReal(metadata)
  loaded.set(metadata, known)
  return known
}

async function loadReal({ metadata, version }: Fact['metadata']): Promise<RuntimeTypes> {
  const runtimeVersion = {
    specName: 'node-subtensor',
    implName: 'node-subtensor',
    authoringVersion: 1,
    specVersion: 1,
    implVersion: 1,
    apis: [['0x37e397fc7c91f5e4', 2]],
    transactionVersion: 1,
    stateVersion: 1,
  }
  const node = await startRecordedNode({ metadata, metadataVersion: version, runtimeVersion, header: {} })
  try {
    return await loadApi(node.url)
  } finally {
    await node.close()
  }
}

function specVersionOf(api: RuntimeTypes): number {
  const version = api.consts.system?.version?.toJSON() as { specVersion?: number } | undefined
  return version?.specVersion ?? 0
}

/** Whether a runtime is newer than the newest dialect of the development chain. */
function isUnmodelled(real: RuntimeTypes): boolean {
  return specVersionOf(real) > dialectOf(Number.MAX_SAFE_INTEGER).since
}

/** The metadata of the development chain in the dialect of the real runtime, or in its newest dialect. */
function developmentRuntime(real: RuntimeTypes): Promise<RuntimeTypes> {
  const specVersion = specVersionOf(real)
  const known = loaded.get(specVersion) ?? loadDevelopment(specVersion)
  loaded.set(specVersion, known)
  return known
}

async function loadDevelopment(specVersion: number): Promise<RuntimeTypes> {
  const chain = await startDevelopmentChain({ sealing: 'manual', specVersion }).catch((error: unknown) => {
    if (error instanceof RangeError) return startDevelopmentChain({ sealing: 'manual' })
    throw error
  })
  try {
    return await loadApi(chain.url)
  } finally {
    await chain.close()
  }
}

async function loadApi(url: string): Promise<RuntimeTypes> {
  const rpc = await openRpc(url, { clock: systemClock, rpcTimeoutMs: 20_000 })
  try {
    return (await loadRuntime(rpc, { clock: systemClock, rpcTimeoutMs: 20_000 })).types
  } finally {
    rpc.close()
  }
}

/** Index, argument names and argument types, which determine the bytes of a call. */
function callFacts(api: RuntimeTypes, name: string) {
  const call = api.tx.subtensorModule?.[camelCase(name)]
  return (
    call && {
      index: [...call.callIndex],
      args: call.meta.args.map((arg) => [arg.name, shape(api, arg.type.toString())]),
    }
  )
}

function storageFacts(api: RuntimeTypes, pallet: string, item: string) {
  const meta = api.query[camelCase(pallet)]?.[camelCase(item)]?.meta
  if (!meta) return undefined
  const { type, modifier, fallback } = meta
  // the event type contains the types of every pallet, which a smaller runtime cannot have
  if (item === 'Events') return { modifier: modifier.toString() }
  if (type.isPlain) return { modifier: modifier.toString(), value: shapeOf(api, type.asPlain.toNumber()) }
  const { hashers, key, value } = type.asMap
  return {
    modifier: modifier.toString(),
    fallback: fallback.toHex(),
    hashers: hashers.map(String),
    key: shapeOf(api, key.toNumber()),
    value: shapeOf(api, value.toNumber()),
  }
}

function apiFacts(api: RuntimeTypes, trait: string, method: string) {
  const found = api.latest.apis
    .find(({ name }) => name.toString() === trait)
    ?.methods.find(({ name }) => name.toString() === method)
  return (
    found && {
      inputs: found.inputs.map(({ type }) => shapeOf(api, type.toNumber())),
      output: shapeOf(api, found.output.toNumber()),
    }
  )
}

function hasError(api: RuntimeTypes, name: string): boolean {
  const { pallets, lookup } = api.latest
  const errors = pallets.find((pallet) => pallet.name.eq('SubtensorModule'))?.errors.unwrapOr(undefined)
  if (errors === undefined) return false
  return lookup.getSiType(errors.type).def.asVariant.variants.some((variant) => variant.name.eq(name))
}

function shape(api: RuntimeTypes, type: string): unknown {
  return api.registry.isLookupType(type) ? shapeOf(api, Number(type.replace('Lookup', ''))) : type
}

/** Structure of a type down to primitives, with newtypes unwrapped: equal shapes encode to equal bytes. */
function shapeOf(api: RuntimeTypes, id: number): unknown {
  const { lookup } = api.latest
  const { def, path } = lookup.getSiType(id)
  const inner = (type: { toNumber(): number }) => shapeOf(api, type.toNumber())
  if (def.isPrimitive) return def.asPrimitive.type
  if (def.isCompact) return { compact: inner(def.asCompact.type) }
  if (def.isSequence) return [inner(def.asSequence.type)]
  if (def.isArray) return { array: inner(def.asArray.type), length: def.asArray.len.toNumber() }
  if (def.isTuple) return { tuple: def.asTuple.map(inner) }
  if (def.isComposite) {
    const { fields } = def.asComposite
    if (fields.length === 1 && fields[0]) return inner(fields[0].type)
    return fields.map(({ name, type }) => [name.unwrapOr('').toString(), inner(type)])
  }
  if (path.at(-1)?.toString() === 'Option') {
    const some = def.asVariant.variants.find(({ name }) => name.toString() === 'Some')
    return { option: some?.fields.map(({ type }) => inner(type)) }
  }
  return def.type
}
