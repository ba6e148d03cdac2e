import type { OwnMiner } from './ask-self.js'
import { describeFault, type QueryReply } from './query-miner.js'

/** The reply for `--json`. */
export function reportReply({ miner, request, answer, verdict }: QueryReply) {
  const { text, tokens, timing, tokensPerSecond, finishReason, fault, status } = answer
  return {
    miner,
    model: request.model,
    text,
    finishReason,
    tokens: tokens.length,
    timeToFirstTokenMs: Math.round(timing.timeToFirstTokenMs * 10) / 10,
    totalMs: Math.round(timing.totalMs * 10) / 10,
    tokensPerSecond: Math.round(tokensPerSecond * 100) / 100,
    status,
    ...(fault ? { fault } : {}),
    ...(verdict ? { verdict } : {}),
  }
}

/** Speed and verdict on one line. */
export function summarizeReply(reply: QueryReply): string {
  const { miner, request, answer } = reply
  const { timing, tokens } = answer
  return [
    miner.uid === undefined ? miner.url : `uid ${miner.uid} at ${miner.url}`,
    request.model,
    `${tokens.length} tokens`,
    `first after ${(timing.timeToFirstTokenMs / 1000).toFixed(2)} s`,
    `${answer.tokensPerSecond.toFixed(1)} tokens/s`,
    ...(reply.verdict ? [describeVerdict(reply)] : []),
  ].join(' · ')
}

/** What a validator would see of one's own miner, line by line. */
export function describeSelf(self: OwnMiner, models: readonly string[], reply: QueryReply): string[][] {
  const { answer, verdict, request } = reply
  const { tokens, timing, tokensPerSecond } = answer
  const speed = `first after ${(timing.timeToFirstTokenMs / 1000).toFixed(2)} s, ${tokensPerSecond.toFixed(1)} tokens/s`
  const unverified = `none, for want of a reference: set --engine.endpoints ${request.model}=http://…/v1`
  return [
    ['hotkey', `${self.hotkey}, uid ${self.uid}`],
    ['address', `${self.url}, announced at block ${self.announcedAtBlock}`],
    ['models', models.join(', ')],
    [
      'answer',
      answer.fault ? describeFault(answer) : `${tokens.length} tokens of ${request.model}, ${speed}`,
    ],
    [
      'verdict',
      answer.fault ? `failed: ${answer.fault.cause}` : verdict ? describeVerdict(reply) : unverified,
    ],
  ]
}

/** `verified`, the cause of the failure, or the reason for having no verdict. */
export function describeVerdict({ answer, verdict }: QueryReply): string {
  if (answer.fault) return `${answer.fault.cause}: ${describeFault(answer)}`
  if (!verdict) return '-'
  if (verdict.kind === 'verified') return 'verified'
  return verdict.kind === 'failed' ? `failed: ${verdict.cause}` : `no verdict: ${verdict.reason}`
}

/** Characters shown of the beginning of an answer. */
const BEGINNING = 40

/**
 * Table with one row per miner, fastest first. Miners with the same model, seed and temperature should agree: `same start`
 * counts the characters that an answer shares with the answer that most others agree with.
 */
export function compareReplies(replies: readonly QueryReply[]): string[][] {
  const sorted = [...replies].sort((a, b) => b.answer.tokensPerSecond - a.answer.tokensPerSecond)
  const common = commonAnswer(sorted.map(({ answer }) => answer.text))
  return [
    ['uid', 'hotkey', 'tokens', 'first s', 'tokens/s', 'same start', 'answer', 'result'],
    ...sorted.map((reply) => [
      String(reply.miner.uid ?? '-'),
      reply.miner.hotkey,
      String(reply.answer.tokens.length),
      (reply.answer.timing.timeToFirstTokenMs / 1000).toFixed(2),
      reply.answer.tokensPerSecond.toFixed(1),
      `${sharedLength(reply.answer.text, common)} of ${reply.answer.text.length}`,
      beginningOf(reply.answer.text),
      describeVerdict(reply),
    ]),
  ]
}

/** The answer whose beginning the others share most. */
function commonAnswer(texts: readonly string[]): string {
  const scored = texts.map((text) => ({
    text,
    shared: texts.reduce((sum, other) => sum + sharedLength(text, other), 0) - text.length,
  }))
  return scored.sort((a, b) => b.shared - a.shared)[0]?.text ?? ''
}

/** How many characters two texts have in common at their beginning. */
function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a[length] === b[length]) length++
  return length
}

function beginningOf(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (line === '') return '-'
  return JSON.stringify(line.length > BEGINNING ? `${line.slice(0, BEGINNING - 1)}…` : line)
}
