import { isIP } from 'node:net'
import type { Metagraph } from '../../chain/index.js'
import { initSr25519, parseIpPort, publicKeyOf, TargonError } from '../../kernel/index.js'

/** A miner that can be queried. */
export interface Miner {
  /** Undefined if the miner was given by address and hotkey. */
  readonly uid: number | undefined
  readonly hotkey: string
  /** `http://ip:port` */
  readonly url: string
}

/** How the user selects a miner; without any of these, any miner that serves the model. */
export interface MinerChoice {
  readonly uid: number | undefined
  readonly hotkey: string | undefined
  readonly axon: string | undefined
}

/**
 * All neurons with an address, except ours.
 *
 * @param isAllowed whether requests may be sent to an IP (private and loopback ranges).
 */
export function servingMiners(
  metagraph: Metagraph,
  ourHotkey: string,
  isAllowed: (ip: string) => boolean,
): Miner[] {
  return metagraph.neurons.flatMap(({ uid, hotkey, axon }) =>
    axon && axon.port > 0 && hotkey !== ourHotkey && isAllowed(axon.ip)
      ? [{ uid, hotkey, url: urlOf(axon.ip, axon.port) }]
      : [],
  )
}

/** Checked before the network is used. @throws TargonError HOTKEY_INVALID unless it is an ss58 address of Bittensor. */
export async function requireHotkey(hotkey: string): Promise<void> {
  await initSr25519()
  if (publicKeyOf(hotkey) !== undefined) return
  throw new TargonError(`--hotkey must be an ss58 address, got ${JSON.stringify(hotkey.slice(0, 80))}.`, {
    code: 'HOTKEY_INVALID',
    fault: 'usage',
    next: 'Use 48 characters that start with 5, as shown by targon query --list.',
  })
}

/** @throws TargonError AXON_INVALID unless the text is `ip:port` (IPv6 in brackets). */
export function minerUrlOf(axon: string): string {
  const address = parseIpPort(axon)
  if (address) return urlOf(address.ip, address.port)
  throw new TargonError(`--axon must be ip:port, got ${JSON.stringify(axon)}.`, {
    code: 'AXON_INVALID',
    fault: 'usage',
    next: 'Use for example 203.0.113.5:8091 or [2001:db8::1]:8091.',
  })
}

/**
 * The miner selected by uid, hotkey or address.
 *
 * @throws TargonError MINER_UNKNOWN if no serving miner matches.
 */
export function findMiner(miners: readonly Miner[], choice: MinerChoice): Miner {
  const url = choice.axon === undefined ? undefined : minerUrlOf(choice.axon)
  const found = miners.find(
    (miner) =>
      (choice.uid === undefined || miner.uid === choice.uid) &&
      (choice.hotkey === undefined || miner.hotkey === choice.hotkey) &&
      (url === undefined || miner.url === url),
  )
  if (found) return found
  const name = [
    choice.uid === undefined ? [] : [`uid ${choice.uid}`],
    choice.hotkey === undefined ? [] : [`hotkey ${choice.hotkey}`],
    choice.axon === undefined ? [] : [`address ${choice.axon}`],
  ].flat()
  throw new TargonError(
    `No miner with ${name.join(' and ')} was found: it is not registered or announces no public address.`,
    {
      code: 'MINER_UNKNOWN',
      fault: 'upstream',
      next: 'Run targon query --list to see all miners (private addresses need --allow-private-axons).',
    },
  )
}

export function urlOf(ip: string, port: number): string {
  return `http://${isIP(ip) === 6 ? `[${ip}]` : ip}:${port}`
}
