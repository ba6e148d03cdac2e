import type { UnreadableAnswer, UnreadableReason } from '../../../kernel/index.js'
import {
  type AdmissionRefusal,
  HEADERS_TOO_LARGE,
  HEADERS_TOO_SLOW,
  refusalBody,
  UNREADABLE_REQUEST,
} from '../admission/index.js'

const REFUSALS: Readonly<Record<UnreadableReason, AdmissionRefusal>> = {
  malformed: UNREADABLE_REQUEST,
  'headers-too-large': HEADERS_TOO_LARGE,
  'too-slow': HEADERS_TOO_SLOW,
}

/** What a miner answers to a request that is not HTTP. @param onRefused is given the code of the refusal */
export function unreadableAnswer(
  reason: UnreadableReason,
  onRefused: (code: string) => void,
): UnreadableAnswer {
  const refusal = REFUSALS[reason]
  onRefused(refusal.code)
  return { status: refusal.status, body: refusalBody(refusal) }
}
