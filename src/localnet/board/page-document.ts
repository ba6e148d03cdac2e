import { z } from 'zod'
import type { Snapshot } from './snapshot.js'

const minerRow = z.object({
  uid: z.number().int(),
  name: z.string(),
  hotkey: z.string(),
  behaviour: z.string(),
  models: z.array(z.string()),
  verified: z.number().int(),
  /** Failures by cause. */
  failed: z.record(z.string(), z.number().int()),
  tokensPerSecond: z.number(),
  score: z.number(),
  evidence: z.string(),
  /** What the evidence says, unless it is clean. */
  accusation: z.string().nullable(),
  /** From chain storage. */
  weightU16: z.number().int(),
  /** Where its own page is; null before it has one. */
  page: z.string().nullable(),
})

/** The document of `GET /status` of a localnet. */
export const localnetStatus = z.object({
  role: z.literal('localnet'),
  chainUrl: z.string(),
  block: z.number().int(),
  /** Blocks until the validator next sets weights; null before its first status. */
  epochBlocksLeft: z.number().int().nullable(),
  /** Epochs whose weights are on chain. */
  epochs: z.number().int(),
  validator: z.object({
    uid: z.number().int(),
    hotkey: z.string(),
    rounds: z.number().int(),
    page: z.string().nullable(),
  }),
  /** Null without a hub. */
  hub: z.object({ url: z.string(), page: z.string() }).nullable(),
  miners: z.array(minerRow),
})

type LocalnetStatus = z.output<typeof localnetStatus>

/** Where the parts of a network are: base URLs of their status servers. */
export interface PartPages {
  readonly chainUrl: string
  readonly validatorUrl: string | undefined
  /** Undefined without a hub. */
  readonly hub: { readonly url: string; readonly statusUrl: string } | undefined
  readonly minerUrlOf: (name: string) => string | undefined
}

/** @param snapshot undefined before the first: the parts are known, and nothing else is. */
export function describeLocalnet(snapshot: Snapshot | undefined, pages: PartPages): LocalnetStatus {
  const { validator } = snapshot ?? {}
  return {
    role: 'localnet',
    chainUrl: pages.chainUrl,
    block: snapshot?.block ?? 0,
    epochBlocksLeft: snapshot?.epochBlocksLeft ?? null,
    epochs: snapshot?.epochs ?? 0,
    validator: {
      ...{ uid: validator?.uid ?? 0, hotkey: validator?.hotkey ?? '', rounds: validator?.rounds ?? 0 },
      page: pages.validatorUrl ?? null,
    },
    hub: pages.hub ? { url: pages.hub.url, page: pages.hub.statusUrl } : null,
    miners: (snapshot?.miners ?? []).map((miner) => ({
      ...{ uid: miner.uid, name: miner.name, hotkey: miner.hotkey, behaviour: miner.behaviour },
      ...{
        models: [...miner.models],
        verified: miner.verdicts.verified,
        failed: { ...miner.verdicts.failed },
      },
      ...{ tokensPerSecond: miner.meanTokensPerSecond, score: miner.score, weightU16: miner.weightU16 },
      ...{ evidence: miner.evidence, accusation: miner.accusation ?? null },
      page: pages.minerUrlOf(miner.name) ?? null,
    })),
  }
}
