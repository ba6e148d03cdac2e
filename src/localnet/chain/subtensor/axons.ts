import { type CallArguments, subtensor } from '../runtime/index.js'
import type { StorageReader } from '../storage/index.js'
import { type ChainRules, depositEvent, ensure, type PalletContext } from './context.js'

type ServeAxon = CallArguments<'serve_axon'>

const BROADCAST_V4 = 0xffff_ffffn
const LOOPBACK_V4 = 0x7f00_0001n
const LOOPBACK_V6 = 1n
const ALL_ONES_V6 = 2n ** 128n - 1n

/** The checks of `serve_axon`, run by the pool and again at dispatch (subnets/serving.rs). @throws DispatchError */
export function checkAxon(
  storage: StorageReader,
  block: number,
  rules: ChainRules,
  hotkey: Uint8Array,
  axon: ServeAxon,
): void {
  const { netuid } = axon
  ensure(storage.get(subtensor.Uids, netuid, hotkey) !== undefined, 'HotKeyNotRegisteredInNetwork')
  ensure(axon.ip_type === 4 || axon.ip_type === 6, 'InvalidIpType')
  ensure(isServableAddress(axon.ip_type, axon.ip, rules), 'InvalidIpAddress')
  const limit = storage.get(subtensor.ServingRateLimit, netuid)
  const last = storage.get(subtensor.Axons, netuid, hotkey)?.block ?? 0n
  ensure(limit === 0n || last === 0n || BigInt(block) - last >= limit, 'ServingRateLimitExceeded')
  ensure(axon.port !== 0, 'InvalidPort')
}

export function serveAxon(context: PalletContext, hotkey: Uint8Array, axon: ServeAxon): void {
  const { storage, block, rules } = context
  checkAxon(storage, block, rules, hotkey, axon)
  const { netuid, ...info } = axon
  storage.set(subtensor.Axons, { ...info, block: BigInt(block) }, netuid, hotkey)
  depositEvent(context, { type: 'AxonServed', value: [netuid, hotkey] })
}

function isServableAddress(ipType: number, ip: bigint, rules: ChainRules): boolean {
  const isLoopback = ip === (ipType === 4 ? LOOPBACK_V4 : LOOPBACK_V6)
  if (isLoopback) return rules.allowLoopbackAxon
  return ipType === 4 ? ip < BROADCAST_V4 : ip !== ALL_ONES_V6
}
