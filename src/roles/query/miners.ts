import { isIP } from 'node:net'
import type { Metagraph } from '../../chain/index.js'
import { parseIpPort, publicKeyOf, TargonError } from '../../kernel/index.js'

/** A miner that can be asked. */
export interface Miner {
  /** Undefined when it was given by address alone. */
  readonly uid: number | undefined
  readonly hotkey: string
  /** `http://ip:port` */
  readonly url: string
}

/** How the caller names the miner; nothing at all means any that serves the model. */
export interface MinerChoice {
  readonly uid: number | undefined
  readonly hotkey: string | undefined
  readonly axon: string | undefined
}

/**
 * Every neuron with an address, except our own.
 *
 * @param isAllowed whether requests may go to an ip at all (private and loopback ranges).
 */
export function servingMiners(
  metagraph: Metagraph,
  ownHotkey: string,
  isAllowed: (ip: string) => boolean,
): Miner[] {
  return metagraph.neurons.flatMap(({ uid, hotkey, axon }) =>
    axon && axon.port > 0 && hotkey !== ownHotkey && isAllowed(axon.ip)
      ? [{ uid, hotkey, url: urlOf(axon.ip, axon.port) }]
      : [],
  )
}

/** @throws TargonError HOTKEY_INVALID unless the text is an ss58 address of Bittensor; nothing is asked of the network for it. */
export function requireHotkey(hotkey: string): void {
  if (publicKeyOf(hotkey) !== undefined) return
  throw new TargonError(`${JSON.stringify(hotkey.slice(0, 80))} is no hotkey.`, {
    code: 'HOTKEY_INVALID',
    fault: 'usage',
    next: 'Give --hotkey as an ss58 address (48 characters that begin with 5), as targon query --list shows it.',
  })
}

/** @throws TargonError AXON_INVALID unless the text is `ip:port` (IPv6 in brackets). */
export function minerUrlOf(axon: string): string {
  const address = parseIpPort(axon)
  if (address) return urlOf(address.ip, address.port)
  throw new TargonError(`${JSON.stringify(axon)} is no address of a miner.`, {
    code: 'AXON_INVALID',
    fault: 'usage',
    next: 'Give --axon as ip:port, e.g. 203.0.113.5:8091 or [2001:db8::1]:8091.',
  })
}

/**
 * The miner that was named, by uid, hotkey or address.
 *
 * @throws TargonError MINER_UNKNOWN when nobody serves under that name.
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
    `No miner with ${name.join(' and ')} can be asked: it is unknown or has no public address.`,
    {
      code: 'MINER_UNKNOWN',
      fault: 'upstream',
      next: 'See who serves what with: targon query --list (private addresses need --allow-private-axons).',
    },
  )
}

function urlOf(ip: string, port: number): string {
  return `http://${isIP(ip) === 6 ? `[${ip}]` : ip}:${port}`
}
