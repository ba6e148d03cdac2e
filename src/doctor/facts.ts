import { z } from 'zod'
import type { EndpointReport, EndpointsExamination } from '../chain/index.js'
import { isAbort } from '../kernel/index.js'
import { readLocalStatus } from '../roles/index.js'
import type { Signer } from '../wallet/index.js'
import type { Context } from './context.js'
import { once } from './once.js'

/** Deadline of one call to the chain. */
const RPC_TIMEOUT_MS = 10_000

/** What several checks need, each read once. */
export interface Facts {
  /** @throws TargonError NETWORK_UNKNOWN, ENDPOINT_INVALID (usage) */
  readonly chain: () => Promise<EndpointsExamination>
  /** The first endpoint that answers; undefined when none does. */
  readonly endpoint: () => Promise<EndpointReport | undefined>
  /** Undefined when the wallet is at fault, which is the finding of another check. */
  readonly hotkey: () => Promise<Signer | undefined>
  /** The neuron that runs on this machine; undefined when none does. */
  readonly running: () => Promise<RunningNeuron | undefined>
}

const neuronStatus = z.looseObject({
  role: z.enum(['miner', 'validator', 'hub']),
  hotkey: z.string(),
  isDraining: z.boolean().optional(),
  launched: z.boolean().optional(),
  version: z.string().optional(),
  /** Of a hub. */
  records: z.object({ bytes: z.number() }).optional(),
})

export type RunningNeuron = z.output<typeof neuronStatus>

const known = new WeakMap<Context, Facts>()

/** The facts of an examination; the same for all of its checks. */
export function factsOf(context: Context): Facts {
  const facts = known.get(context) ?? openFacts(context)
  known.set(context, facts)
  return facts
}

function openFacts(context: Context): Facts {
  const { settings, reading, clock, signal } = context
  const chain = once(async () => {
    const { examineEndpoints, networkEndpoints } = await import('../chain/index.js')
    const network = networkEndpoints({
      network: settings['subtensor.network'],
      endpoints: settings['subtensor.chain_endpoint'],
      fallbacks: settings['subtensor.fallback_endpoints'],
      networkGiven: reading.isNetworkGiven,
    })
    const { netuid } = settings
    return await examineEndpoints({ ...network, netuid, clock, signal, rpcTimeoutMs: RPC_TIMEOUT_MS })
  })
  return {
    chain,
    endpoint: once(async () => {
      const examined = await chain().catch(() => undefined)
      return examined?.endpoints.flatMap((one) => (one.kind === 'answers' ? [one] : []))[0]
    }),
    hotkey: once(async () => await context.loadHotkey().catch(() => undefined)),
    running: once(() => readRunning(context)),
  }
}

async function readRunning({ settings, clock, signal }: Context): Promise<RunningNeuron | undefined> {
  const port = settings['metrics.port']
  try {
    return await readLocalStatus('miner', port, neuronStatus, { clock, signal })
  } catch (error) {
    if (isAbort(error)) throw error
    return undefined
  }
}
