import { z } from 'zod'
import { type Clock, TargonError } from '../kernel/index.js'
import { findSubnetDifference } from './compare-subnets.js'
import type { LinkContext } from './context.js'
import { readWeightRules } from './hyperparameters.js'
import { type Link, openLink, readHead } from './link.js'
import { createAddressBook, readMetagraph } from './metagraph.js'
import { LAG_TOLERANCE_BLOCKS } from './plausibility.js'
import type { BlockHead, Metagraph } from './types.js'
import type { WeightRules } from './weights-types.js'

/** What an endpoint shows of itself and of a subnet. Times in milliseconds. */
export interface EndpointReport {
  readonly kind: 'answers'
  readonly endpoint: string
  /** From a request to its reply: the shortest of several. */
  readonly latencyMs: number
  readonly genesisHash: string
  readonly specVersion: number
  readonly blockTimeMs: number
  readonly head: BlockHead
  /** When the newest block was made, by the clock of its author; undefined on a chain without timestamps. */
  readonly madeAtMs: number | undefined
  /** By the local clock, when the newest block was read. */
  readonly readAtMs: number
  /** At the newest block. */
  readonly metagraph: Metagraph
  readonly rules: WeightRules
}

export interface SilentEndpoint {
  readonly kind: 'fails'
  readonly endpoint: string
  readonly error: unknown
}

/** Where an endpoint and the first one that answers disagree. */
export interface EndpointDifference {
  readonly endpoint: string
  readonly than: string
  readonly what: string
  readonly ours: unknown
  readonly theirs: unknown
}

export interface EndpointsExamination {
  /** In the order of the endpoints. */
  readonly endpoints: readonly (EndpointReport | SilentEndpoint)[]
  readonly differences: readonly EndpointDifference[]
}

export interface ExaminationOptions {
  readonly endpoints: readonly string[]
  readonly netuid: number
  /** Genesis hash every endpoint must have; undefined accepts any. */
  readonly genesisHash?: string | undefined
  readonly clock: Clock
  /** Deadline of one call. */
  readonly rpcTimeoutMs: number
  readonly signal: AbortSignal
}

interface Opened {
  readonly link: Link
  readonly report: Omit<EndpointReport, 'latencyMs'>
}

/** The first ones may wait for this process, which decodes metadata meanwhile. */
const LATENCY_SAMPLES = 5

/** Reads every endpoint once, and compares them at a block that both have finalized. Sends no extrinsic and keeps no connection. */
export async function examineEndpoints(options: ExaminationOptions): Promise<EndpointsExamination> {
  const { endpoints, signal } = options
  const opened: Opened[] = []
  try {
    const results = await Promise.all(
      endpoints.map(async (endpoint): Promise<Opened | SilentEndpoint> => {
        try {
          return await openEndpoint(endpoint, options, opened)
        } catch (error) {
          signal.throwIfAborted()
          return { kind: 'fails', endpoint, error }
        }
      }),
    )
    const answering = results.flatMap((result) => ('link' in result ? [result] : []))
    const [first, ...others] = answering
    const differences: EndpointDifference[] = []
    if (first)
      for (const other of others) {
        const found = await compare(first, other, options)
        if (found)
          differences.push({ endpoint: other.report.endpoint, than: first.report.endpoint, ...found })
      }
    const latencies = new Map<Opened, number>()
    for (const one of answering) latencies.set(one, await measureLatency(one, options))
    return {
      endpoints: results.map((result) =>
        'link' in result ? { ...result.report, latencyMs: latencies.get(result) ?? 0 } : result,
      ),
      differences,
    }
  } finally {
    for (const { link } of opened) link.rpc.close()
  }
}

async function openEndpoint(
  endpoint: string,
  { netuid, genesisHash, clock, rpcTimeoutMs, signal }: ExaminationOptions,
  opened: Opened[],
): Promise<Opened> {
  const context: LinkContext = { clock, rpcTimeoutMs, genesisHash, signal }
  const link = await openLink(endpoint, context)
  try {
    const { runtime } = link
    const head = await readHead(link, 'best', { signal })
    const readAtMs = clock.now()
    const at = { blockHash: head.hash, signal }
    const [now, metagraph, rules] = await Promise.all([
      runtime.read('Now', [], { ...at, pallet: 'Timestamp' }),
      readSubnet(link, netuid, head, clock.now(), signal),
      readWeightRules(runtime, netuid, at),
    ])
    const madeAtMs = Number(now) > 0 ? Number(now) : undefined
    const { genesisHash: genesis, specVersion, blockTimeMs } = runtime
    const shown = { endpoint, genesisHash: genesis, specVersion, blockTimeMs, head }
    const result: Opened = {
      link,
      report: { kind: 'answers', ...shown, madeAtMs, readAtMs, metagraph, rules },
    }
    opened.push(result)
    return result
  } catch (error) {
    link.rpc.close()
    throw error
  }
}

/** @returns infinity for an endpoint that fails meanwhile */
async function measureLatency({ link }: Opened, { clock, signal }: ExaminationOptions): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY
  for (let sample = 0; sample < LATENCY_SAMPLES; sample++) {
    const askedAt = clock.monotonic()
    try {
      await link.rpc.request('chain_getHeader', [], { signal })
    } catch {
      signal.throwIfAborted()
      return shortest
    }
    shortest = Math.min(shortest, clock.monotonic() - askedAt)
  }
  return shortest
}

function readSubnet(link: Link, netuid: number, head: BlockHead, now: number, signal: AbortSignal) {
  const at = { blockHash: head.hash, signal }
  return readMetagraph(link.runtime, {
    ...{ netuid, block: head.number, at, now },
    addresses: createAddressBook(),
  })
}

type Difference = Pick<EndpointDifference, 'what' | 'ours' | 'theirs'>

/** @returns undefined when they agree, or when one of them fails meanwhile */
async function compare(
  { link, report }: Opened,
  other: Opened,
  { netuid, clock, signal }: ExaminationOptions,
): Promise<Difference | undefined> {
  const [ours, theirs] = [report, other.report]
  if (ours.genesisHash !== theirs.genesisHash)
    return { what: 'the genesis', ours: ours.genesisHash, theirs: theirs.genesisHash }
  if (ours.specVersion !== theirs.specVersion)
    return { what: 'the spec version', ours: ours.specVersion, theirs: theirs.specVersion }
  if (Math.abs(ours.head.number - theirs.head.number) > LAG_TOLERANCE_BLOCKS)
    return { what: 'the newest block', ours: ours.head.number, theirs: theirs.head.number }
  try {
    const [ourFinal, theirFinal] = await Promise.all([
      readHead(link, 'finalized', { signal }),
      readHead(other.link, 'finalized', { signal }),
    ])
    const number = Math.min(ourFinal.number, theirFinal.number)
    const [hash, theirHash] = await Promise.all([
      readHash(link, number, signal),
      readHash(other.link, number, signal),
    ])
    if (hash !== theirHash) return { what: `block ${number}`, ours: hash, theirs: theirHash }
    const [our, their] = await Promise.all(
      [link, other.link].map((one) => readSubnet(one, netuid, { number, hash }, clock.now(), signal)),
    )
    const found = our && their && findSubnetDifference(our, their)
    return found && { ...found, what: `the subnet at block ${number} (${found.what})` }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TargonError)
      return { what: 'the comparison', ours: 'readable', theirs: error.message }
    throw error
  }
}

async function readHash({ rpc }: Link, number: number, signal: AbortSignal): Promise<string> {
  return z.string().parse(await rpc.request('chain_getBlockHash', [number], { signal }))
}
