import type { Dispatcher } from 'undici'
import { signRequest } from '../../../epistula/index.js'
import type { Endpoint } from '../../../inference/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import type { HubMiner, Miners } from '../miners/index.js'
import { type AskPlan, askMiners } from './ask-miners.js'
import { startAttempt } from './attempt.js'
import type { Exchange } from './exchange.js'
import { type PlainPiece, readPlain } from './plain-answer.js'
import type { Attempt, FailedAttempt, UserRequest } from './types.js'
import { type AnswerPiece, hasContent, readAnswer } from './verified-answer.js'

export interface AskingOptions {
  readonly miners: Pick<Miners, 'choose' | 'begin'>
  readonly signer: Signer
  readonly clock: Clock
  readonly dispatcher: Dispatcher
  readonly attempts: number
  /** 0: off. */
  readonly hedgeAfterMs: number
  readonly limits: { readonly firstTokenMs: number; readonly gapMs: number; readonly totalMs: number }
}

type Verifiable = UserRequest & { readonly endpoint: Endpoint }

/** What the caller of one request gives. */
export interface AskOptions {
  /** The user left, or the hub stops. */
  readonly signal: AbortSignal
  /** Miners that were asked already; the new ones are added. */
  readonly asked: Set<string>
  readonly onFailed: (failed: FailedAttempt) => void
  /** A further miner is asked because the one before is slow. */
  readonly onHedged?: () => void
}

/** Asks miners on behalf of users. */
export interface Asking {
  /** @throws NoAnswer; the reason of the signal */
  answer(request: Verifiable, options: AskOptions): Promise<Attempt<AnswerPiece>>
  /** The same for requests that cannot be verified. */
  pass(request: UserRequest, options: AskOptions): Promise<Attempt<PlainPiece>>
}

/** Bytes of an answer: some for the frame, and for each token its log probability and up to twenty others. */
const FRAME_BYTES = 1 << 20
const TOKEN_BYTES = 4096

export function answerBytes(maxTokens: number): number {
  return FRAME_BYTES + maxTokens * TOKEN_BYTES
}

export function openAsking(options: AskingOptions): Asking {
  const { miners, signer, clock, dispatcher, attempts, hedgeAfterMs, limits } = options
  /** Encoded once for all miners, signed for each. */
  const prepare = (request: UserRequest) => {
    const body = Buffer.from(JSON.stringify(request.body), 'utf8')
    const bounds = { ...limits, bytes: answerBytes(request.maxTokens) }
    return (miner: HubMiner, signal: AbortSignal): Omit<Exchange, 'isStream' | 'progressed'> => {
      const { model, path } = request
      const headers = signRequest({ signer, signedFor: miner.hotkey, body, nowMs: clock.now(), model })
      return { dispatcher, origin: miner.url, path, headers, body, limits: bounds, clock, signal }
    }
  }
  const race = <Piece>(
    { model, endpoint }: UserRequest,
    asking: AskOptions,
    read: (miner: HubMiner, signal: AbortSignal) => AsyncGenerator<Piece, void>,
    isContent: (piece: Piece) => boolean,
  ) => {
    const open = (miner: HubMiner): Attempt<Piece> =>
      startAttempt({
        ...{ miner, signal: asking.signal, hasContent: isContent },
        turn: miners.begin(miner, model),
        startMs: clock.monotonic(),
        read: (inner) => read(miner, inner),
      })
    const choose: AskPlan<Piece>['choose'] = (asked) => miners.choose(model, asked)
    const isRouteCertain = endpoint !== undefined
    return askMiners({ ...asking, choose, open, attempts, hedgeAfterMs, clock, isRouteCertain })
  }
  return {
    answer: (request, asking) => {
      const exchangeWith = prepare(request)
      const read = (miner: HubMiner, inner: AbortSignal) => readAnswer(exchangeWith(miner, inner), request)
      return race(request, asking, read, hasContent)
    },
    pass: (request, asking) => {
      const exchangeWith = prepare(request)
      const read = (miner: HubMiner, inner: AbortSignal) => readPlain(exchangeWith(miner, inner))
      return race(request, asking, read, () => true)
    },
  }
}
