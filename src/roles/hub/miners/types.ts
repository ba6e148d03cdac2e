import type { Metagraph } from '../../../chain/index.js'

/** A miner that can be asked now. */
export interface HubMiner {
  readonly uid: number
  readonly hotkey: string
  readonly coldkey: string
  /** `http://ip:port`, IPv6 in brackets. */
  readonly url: string
}

/** How a request to a miner ended. */
export type TurnEnd =
  | {
      readonly kind: 'answered'
      /** From the request to the first token. */
      readonly firstTokenMs: number
      readonly tokens: number
      /** From the first token to the last. */
      readonly streamedMs: number
    }
  /** The miner is at fault. */
  | { readonly kind: 'failed' }
  /** Nothing was learned about the miner: it was busy, refused the request, or the user left. */
  | { readonly kind: 'abandoned' }

/** One request that a miner is working on. */
export interface Turn {
  /** Call it once; a second call does nothing. */
  end(how: TurnEnd): void
}

/** What a validator found out about one answer. */
export interface NotedVerdict {
  readonly hotkey: string
  readonly model: string
  readonly isVerified: boolean
  /** Whether a user had asked; otherwise the validator itself. */
  readonly isOrganic: boolean
  /** Hotkey of the validator. */
  readonly validator: string
}

/** How a miner is chosen for requests to one model. */
export interface RoutedModel {
  readonly model: string
  /** How likely the next request goes to it, 0 … 1. */
  readonly share: number
  /** From validators’ reports and incentive, 0 … 1; null for a new miner, which shares the trickle. */
  readonly quality: number | null
  /** Share of its answers that validators verified, 0 … 1; null when none has reported. */
  readonly verified: number | null
  /** Moving averages of its last answers; null before the first. */
  readonly tokensPerSecond: number | null
  readonly firstTokenMs: number | null
}

/** What the operator sees of one miner. */
export interface MinerReport extends HubMiner {
  readonly models: readonly string[]
  readonly incentive: number
  readonly inFlight: number
  readonly breaker: string
  /** Requests that it answered, and those in which it was at fault. */
  readonly answered: number
  readonly failed: number
  /** Why it did not list its models when it was asked last; null when it did. */
  readonly silent: string | null
}

/** The miners of the subnet as the hub knows them. */
export interface Miners {
  /** Names of the models that miners serve now, sorted. */
  models(): readonly string[]
  /** A miner for a request to this model, at random by its share; undefined when none is left. */
  choose(model: string, except: ReadonlySet<string>): HubMiner | undefined
  /** Call before a request is sent to a miner. */
  begin(miner: HubMiner, model: string): Turn
  noteVerdict(verdict: NotedVerdict): void
  /** The last metagraph. */
  metagraph(): Metagraph
  /** Why the last reading of the subnet failed; undefined when it did not. */
  failure(): unknown
  report(): readonly MinerReport[]
  /** By hotkey, of the 32 models that most miners serve; at most five seconds old. */
  routing(): ReadonlyMap<string, readonly RoutedModel[]>
}
