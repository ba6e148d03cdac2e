import { TargonError } from '../kernel/index.js'
import { subtensorCall } from './call.js'
import { parseIp } from './ip-address.js'
import { type Link, readHead } from './link.js'
import { readAxon, storedAxonSchema } from './metagraph.js'
import type { ServeAxonResult } from './outcomes.js'
import type { Submitter } from './submitter.js'
import type { Axon, ChainSigner } from './types.js'

/** The protocol number every SDK announces. */
const PROTOCOL = 4

export interface AxonAddress {
  readonly netuid: number
  readonly ip: string
  readonly port: number
}

/** The axon the chain currently stores for a hotkey. */
export async function readStoredAxon(
  link: Link,
  netuid: number,
  hotkey: string,
  signal?: AbortSignal,
): Promise<Axon | undefined> {
  const { hash } = await readHead(link, 'best', { signal })
  const stored = storedAxonSchema.parse(
    await link.runtime.read('Axons', [netuid, hotkey], { blockHash: hash, ...(signal ? { signal } : {}) }),
  )
  return stored ? readAxon(stored) : undefined
}

/** @throws TargonError AXON_ADDRESS (fault usage) when the text is not an IP address. */
export function parseAxonIp(ip: string) {
  const parsed = parseIp(ip)
  if (parsed) return parsed
  throw new TargonError(`Cannot announce ${JSON.stringify(ip)}: it is not an IP address.`, {
    code: 'AXON_ADDRESS',
    fault: 'usage',
    next: 'Set --axon.external_ip to an IPv4 or IPv6 address.',
  })
}

/** Announces the address. A refused or unconfirmed call counts as success if the chain has the address anyway. */
export async function announceAxon(
  submitter: Submitter,
  signer: ChainSigner,
  { netuid, ip, port }: AxonAddress,
  version: number,
  readStored: () => Promise<Axon | undefined>,
  signal?: AbortSignal,
): Promise<ServeAxonResult> {
  const address = parseAxonIp(ip)
  const isSame = (axon: Axon | undefined) =>
    axon !== undefined &&
    parseIp(axon.ip)?.value === address.value &&
    axon.port === port &&
    axon.ipType === address.type
  if (isSame(await readStored())) return { kind: 'unchanged' }
  const call = subtensorCall('serve_axon', {
    netuid,
    version,
    ip: address.value,
    port,
    ip_type: address.type,
    protocol: PROTOCOL,
    placeholder1: 0,
    placeholder2: 0,
  })
  const outcome = await submitter.submit(signer, () => call, { signal })
  switch (outcome.kind) {
    case 'included':
      return { kind: 'served', blockHash: outcome.blockHash }
    case 'refused':
      return isSame(await readStored())
        ? { kind: 'unchanged' }
        : { kind: 'refused', refusal: outcome.refusal }
    case 'unconfirmed':
      return isSame(await readStored())
        ? { kind: 'unchanged' }
        : { kind: 'refused', refusal: { class: 'other', name: 'unconfirmed', detail: outcome.reason } }
  }
}
