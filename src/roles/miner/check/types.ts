import type { Clock, Log } from '../../../kernel/index.js'
import type { UpstreamSettings } from '../../../routing/index.js'
import type { Cause } from '../../../verification/index.js'

/** `fails`: a validator would not verify an answer. `warns`: some validators or users would notice. `notes`: for information. */
export type Weight = 'fails' | 'warns' | 'notes'

export const FINDING_CODES = [
  'server-down',
  'no-models',
  'token-ids-missing',
  'chat-text-moved',
  'no-reference',
  'answer-failed',
  'not-judged',
  'evidence',
  'noise',
  'logprobs-processed',
  'logprobs-limit',
  'generation-config',
  'template-date',
  'chunks-merged',
  'first-token-late',
  'seed-not-followed',
  'compared-with-itself',
] as const

export type FindingCode = (typeof FINDING_CODES)[number]

/** One thing that a validator sees of a model server, and what to do about it. */
export interface Finding {
  readonly code: FindingCode
  readonly weight: Weight
  /** Of answers that fail. */
  readonly cause?: Cause
  readonly seen: string
  readonly fix?: string
}

/** What a check of one model on one server found. Times in milliseconds, speeds in tokens per second, medians. */
export interface ModelCheck {
  readonly model: string
  /** Address of the engine it was compared with; null when it was compared with its own reading of the tokens. */
  readonly comparedWith: string | null
  readonly answers: { readonly verified: number; readonly failed: number; readonly notJudged: number }
  readonly tokens: number
  readonly firstTokenMs: number | null
  readonly tokensPerSecond: number | null
  /** The sampler that draws as its seeds say; null when none was recognised. */
  readonly dialect: string | null
  /** Mean difference of stated and reference log probabilities, in nats; null when it was not measured. */
  readonly residual: number | null
  readonly evidence: string | null
  readonly findings: readonly Finding[]
}

export interface ServerCheck {
  readonly server: string
  /** Of the server itself, whatever the model. */
  readonly findings: readonly Finding[]
  readonly models: readonly ModelCheck[]
}

export interface MinerCheck {
  /** Whether a validator would verify everything. */
  readonly verified: boolean
  readonly servers: readonly ServerCheck[]
}

export interface CheckOptions {
  readonly servers: readonly UpstreamSettings[]
  /** Second engines: model and base URLs without `/v1`. */
  readonly against: readonly { readonly model: string; readonly urls: readonly string[] }[]
  /** Key of the second engines. */
  readonly againstKey: string | undefined
  readonly hub: {
    readonly hubUrl: string
    readonly hubToken?: string | undefined
    readonly modelDir?: string | undefined
  }
  /** Only this model; absent: all. */
  readonly model?: string | undefined
  /** Answers to judge per model. */
  readonly answers: number
  /** Tokens asked for per answer. Default: 128 to 256. */
  readonly tokens?: { readonly min: number; readonly max: number } | undefined
  /** Of the prompts. */
  readonly seed: string
}

export interface CheckDeps {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Called with what is being done now. */
  readonly onProgress?: (sentence: string) => void
  /** Time an engine has to become ready. Default: 30 s. */
  readonly readyMs?: number
}
