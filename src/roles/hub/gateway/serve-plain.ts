import { type FailedAttempt, MinerFailure } from '../asking/index.js'
import type { TurnEnd } from '../miners/index.js'
import { answerHeaders } from './answer-headers.js'
import { createPlainUsage } from './plain-usage.js'
import type { ServeDeps, Served } from './types.js'
import { UserStream } from './user-stream.js'

/**
 * Serves a request that validators cannot verify: the bytes of a miner, as they are. Nothing in them is checked, so a miner that
 * breaks off breaks the connection.
 *
 * @throws what is to be answered instead, as long as nothing was sent
 */
export async function servePlain(served: Served, deps: ServeDeps): Promise<void> {
  const { request, response, signal, progress } = served
  const { clock } = deps
  const asked = new Set<string>()
  const onFailed = ({ failure, miner }: FailedAttempt) => progress.failures.set(failure, miner.uid)
  const onHedged = () => progress.hedges++
  const attempt = await deps.asking.pass(request, { signal, asked, onFailed, onHedged }).finally(() => {
    progress.attempts = asked.size
  })
  const stream = new UserStream(response, clock, deps.stallMs, signal)
  const pieces = attempt.pieces()
  let usage: ReturnType<typeof createPlainUsage> | undefined
  let how: TurnEnd = { kind: 'abandoned' }
  let firstTokenMs: number | undefined
  try {
    for await (const { bytes, contentType } of pieces) {
      firstTokenMs ??= clock.monotonic() - attempt.startMs
      progress.firstTokenMs ??= clock.monotonic() - progress.startMs
      if (usage === undefined) stream.begin(answerHeaders(served, attempt.miner, safeType(contentType), deps))
      usage ??= createPlainUsage(contentType)
      usage.add(bytes)
      await stream.write(bytes)
    }
    how = { kind: 'answered', firstTokenMs: firstTokenMs ?? 0, tokens: 0, streamedMs: 0 }
    stream.end()
  } catch (error) {
    if (error instanceof MinerFailure) {
      how = { kind: 'failed' }
      progress.failures.set(error, attempt.miner.uid)
    }
    stream.cut()
    throw error
  } finally {
    attempt.turn.end(how)
    attempt.abort()
    await pieces.return()
    const { promptTokens, tokens } = usage?.result() ?? {}
    progress.promptTokens = promptTokens
    progress.tokens = tokens ?? 0
  }
}

/** A miner must not make a browser run what it sends. */
function safeType(contentType: string): string {
  return contentType.startsWith('text/event-stream') ? contentType : 'application/json; charset=utf-8'
}
