import { z } from 'zod'
import type { Clock, Log } from '../kernel/index.js'
import { parseReply } from './parse-reply.js'
import { probe } from './probe.js'
import type { MovedText } from './types.js'
import type { Upstream } from './upstream.js'

const TIMEOUT_MS = 30_000

/** Enough for a parser to decide where the text belongs. */
const MAX_TOKENS = 16

const message = z.object({
  content: z.string().nullish(),
  // vLLM's name of it, and the one before 0.11.
  reasoning: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(z.unknown()).nullish(),
})
const answer = z.object({
  choices: z.array(z.object({ delta: message.nullish(), message: message.nullish() })),
})

const ADVICE: Readonly<Record<Exclude<MovedText, 'nowhere'>, string>> = {
  reasoning: 'Start the server without --reasoning-parser.',
  tool_calls: 'Start the server without --enable-auto-tool-choice and --tool-call-parser.',
}

/**
 * Asks for a short chat as validators do, and logs which of vLLM's switches is the cause when its text is not in `content`.
 * Users read `content`, and validators compare it with the token ids: an honest answer without it fails.
 */
export async function probeChatText(
  clock: Clock,
  log: Log,
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  const [model] = upstream.targetModels()
  if (model === undefined) return
  const messages = [{ role: 'user', content: 'Hello' }]
  const body = JSON.stringify({ model, messages, max_tokens: MAX_TOKENS, temperature: 0, stream: true })
  const path = `${upstream.basePath}/chat/completions`
  const reply = await probe(clock, upstream, { path, body, timeoutMs: TIMEOUT_MS }, signal)
  // A model without a chat template answers 400.
  if (reply.status !== 200) return
  const before = upstream.movedText
  upstream.movedText = whereTextGoes(reply.text)
  const { movedText, url } = upstream
  if (movedText === before || movedText === 'nowhere') return
  log.warn(
    { event: 'chat-text-moved', upstream: url, movedTo: movedText, next: ADVICE[movedText] },
    'model server moves the text of chats away from content: validators fail its answers',
  )
}

/** @param text a stream of server-sent events, or one JSON document. */
function whereTextGoes(text: string): MovedText {
  const documents = text.startsWith('{')
    ? [text]
    : [...text.matchAll(/^data: ?(\{.*)$/gm)].map(([, json = '']) => json)
  const parts = documents.flatMap((json) => {
    const parsed = answer.safeParse(parseReply(json))
    return parsed.success
      ? parsed.data.choices.flatMap(({ delta, message: whole }) => delta ?? whole ?? [])
      : []
  })
  if (parts.some((part) => part.reasoning || part.reasoning_content)) return 'reasoning'
  return parts.some((part) => (part.tool_calls?.length ?? 0) > 0) ? 'tool_calls' : 'nowhere'
}
