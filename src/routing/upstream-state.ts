import { z } from 'zod'
import type { UpstreamSettings } from './settings.js'
import type { Health, TokenIds } from './types.js'

/** The state of one model server, for processes that do not check it themselves. Contains its API key. */
export interface UpstreamState {
  readonly settings: UpstreamSettings
  readonly health: Health
  readonly tokenIds: TokenIds
  /** Its breaker lets requests through. */
  readonly isOpen: boolean
  /** Null when it has no list. */
  readonly listedModels: readonly string[] | null
}

const names = z.array(z.string()).readonly()

const settings = z
  .object({
    url: z.string(),
    apiKey: z.string().optional(),
    weight: z.number(),
    maxInFlight: z.number(),
    models: names,
    aliases: z.record(z.string(), z.string()),
    addTokenIds: z.boolean(),
    askHealth: z.enum(['auto', 'always', 'never']).optional(),
  })
  .transform(({ apiKey, askHealth, ...rest }) => ({
    ...rest,
    apiKey,
    ...(askHealth === undefined ? {} : { askHealth }),
  }))

const health = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unknown') }),
  z.object({ kind: z.literal('up') }),
  z.object({ kind: z.literal('down'), reason: z.string(), isSilent: z.boolean() }),
])

/** Parses an {@link UpstreamState} that another process sent. */
export const upstreamState: z.ZodType<UpstreamState, unknown> = z.object({
  settings,
  health,
  tokenIds: z.enum(['always', 'on-request', 'never', 'unknown']),
  isOpen: z.boolean(),
  listedModels: names.nullable(),
})
