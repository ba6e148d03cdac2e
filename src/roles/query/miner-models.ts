import { listModels as askModels, createMinerAgent } from '../../inference/index.js'
import type { Clock } from '../../kernel/index.js'
import type { Signer } from '../../wallet/index.js'
import type { Miner } from './miners.js'

/** A miner with the models it says it serves; `fault` instead of them when it did not say. */
export interface ListedMiner extends Miner {
  readonly models: readonly string[]
  readonly fault?: string
}

/** Asks every miner at once which models it serves (GET /models, signed), within the bounds inference/ sets for each. */
export async function listModels(
  miners: readonly Miner[],
  { signer, clock, signal }: { readonly signer: Signer; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ListedMiner[]> {
  const dispatcher = createMinerAgent()
  try {
    return await Promise.all(
      miners.map(async (miner) => {
        const answer = await askModels(miner, { signer, clock, signal, dispatcher })
        return answer.kind === 'models'
          ? { ...miner, models: answer.models }
          : { ...miner, models: [], fault: answer.reason }
      }),
    )
  } finally {
    await dispatcher.destroy()
  }
}
