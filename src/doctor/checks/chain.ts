import type { EndpointReport } from '../../chain/index.js'
import { maskPasswords, messageOf, TargonError } from '../../kernel/index.js'
import type { Check } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, warn } from '../finding.js'
import { serverAheadMs } from './server-clock.js'

/** Slower than this, a round trip costs a noticeable part of an epoch's deadlines. */
const SLOW_MS = 1500
/** A block of 12 s may be this late without being a fault. */
const STALE_MS = 90_000

export const chainCheck: Check = {
  id: 'chain',
  title: 'the answers of the chain endpoints',
  deadlineMs: 45_000,
  run: async (context, signal) => {
    const { endpoints, differences } = await factsOf(context).chain()
    const answering = endpoints.flatMap((one) => (one.kind === 'answers' ? [one] : []))
    const silent = endpoints.flatMap((one) => (one.kind === 'fails' ? [one] : []))
    const spare = answering.length > 0
    const found: Seen[] = [
      ...silent.map(({ endpoint, error }) => silentFinding(endpoint, error, spare)),
      ...differences.map(({ endpoint, than, what, ours, theirs }) =>
        fail(
          `${shown(endpoint)} and ${shown(than)} disagree on ${what}: ${theirs} against ${ours}.`,
          'Remove the endpoint that is wrong from --subtensor.chain_endpoint; weights are paused while they disagree.',
        ),
      ),
    ]
    const late = await Promise.all(
      answering.map(async (one) => lateFindings(one, await serverAheadMs(one.endpoint, context, signal))),
    )
    found.push(...late.flat())
    return found.length > 0 ? found : answering.map(described)
  },
}

function described({ endpoint, latencyMs, head, specVersion, genesisHash }: EndpointReport): Seen {
  const genesis = genesisHash.slice(0, 10)
  return ok(
    `${shown(endpoint)} answers in ${Math.round(latencyMs)} ms: block ${head.number}, spec ${specVersion}, genesis ${genesis}….`,
  )
}

function silentFinding(endpoint: string, error: unknown, hasSpare: boolean): Seen {
  const why = maskPasswords(messageOf(error))
  const next =
    (error instanceof TargonError ? error.next : undefined) ??
    'Check --subtensor.chain_endpoint and the network connection.'
  const isWrong = error instanceof TargonError && error.fault === 'chain'
  const saw = `${shown(endpoint)} cannot be used: ${why}`
  return hasSpare && !isWrong ? warn(saw, next) : fail(saw, next)
}

/** @param aheadMs of the endpoint's own clock before the local one, so that a wrong local clock makes no block look old */
function lateFindings(report: EndpointReport, aheadMs: number | undefined): Seen[] {
  const { endpoint, latencyMs, madeAtMs, readAtMs, blockTimeMs } = report
  const ageMs = madeAtMs === undefined ? 0 : readAtMs + (aheadMs ?? 0) - madeAtMs
  if (ageMs > Math.max(STALE_MS, 5 * blockTimeMs))
    return [
      fail(
        `The newest block of ${shown(endpoint)} is ${Math.round(ageMs / 1000)} s old: the endpoint lags, or the chain stands still.`,
        'Use another endpoint with --subtensor.chain_endpoint.',
      ),
    ]
  if (latencyMs > SLOW_MS)
    return [
      warn(
        `${shown(endpoint)} answers slowly: ${Math.round(latencyMs)} ms.`,
        'Use a nearer endpoint with --subtensor.chain_endpoint.',
      ),
    ]
  return []
}

/** Addresses of providers may hold a key. */
function shown(endpoint: string): string {
  const { protocol, host } = new URL(endpoint)
  return `${protocol}//${host}`
}
