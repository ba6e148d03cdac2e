import { z } from 'zod'
import { type Clock, withDeadline } from '../../clock.js'
import { epistulaFetch } from '../../epistula/index.js'
import type { Signer } from '../../wallet/index.js'
import type { Miner } from './miners.js'

const TIMEOUT_MS = 3000
const MAX_BYTES = 64 << 10
const MAX_MODELS = 512

const modelNames = z.array(z.string().regex(/^[\w.\-/:]{1,200}$/)).max(MAX_MODELS)

/** A miner with the models it says it serves; `fault` instead of them when it did not say. */
export interface ListedMiner extends Miner {
  readonly models: readonly string[]
  readonly fault?: string
}

/** Asks every miner at once which models it serves (GET /models, signed), three seconds for all. */
export function listModels(
  miners: readonly Miner[],
  deps: { readonly signer: Signer; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ListedMiner[]> {
  return Promise.all(
    miners.map(async (miner) => {
      try {
        return { ...miner, models: await askModels(miner, deps) }
      } catch (error) {
        if (deps.signal.aborted) throw error
        return { ...miner, models: [], fault: faultOf(error) }
      }
    }),
  )
}

function askModels(
  miner: Miner,
  { signer, clock, signal }: { readonly signer: Signer; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string[]> {
  const signed = epistulaFetch({ signer, signedFor: miner.hotkey, clock })
  return withDeadline(clock, `GET /models of ${miner.url}`, TIMEOUT_MS, signal, async (inner) => {
    const response = await signed(`${miner.url}/models`, { signal: inner })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`status ${response.status}`)
    }
    return modelNames.parse(JSON.parse(await readBounded(response)))
  })
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What a peer did wrong, in our own words: nothing it sent is repeated. */
function faultOf(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 'no list of models'
  if (!(error instanceof Error)) return 'no answer'
  const cause = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
  return cause === undefined ? error.message : String(cause)
}
