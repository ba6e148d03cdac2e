import type { ServerInspection } from '../../../routing/index.js'
import type { Cause } from '../../../verification/index.js'
import type { Sample } from './samples.js'
import type { Finding } from './types.js'

const OWN_MODEL =
  'Serve the weights, tokenizer and chat template of the model itself, without FP8 or 4-bit weights or cache.'
const WHOLE_STREAM =
  'Ask the server itself with curl -N: each token must arrive at once, in chunks of OpenAI’s format; turn off buffering in proxies.'
const ENDINGS = 'Start the server without stop strings, ignore_eos and --override-generation-config.'

/** What to do about answers that fail for a cause. */
const FIXES: Readonly<Partial<Record<Cause, string>>> = {
  NO_LOGPROBS:
    'Start the server with --max-logprobs 20 or more; only vLLM and SGLang state log probabilities.',
  TOKEN_TEXT_MISMATCH:
    'Start the server without --reasoning-parser, --tool-call-parser and another --tokenizer.',
  BAD_STREAM: WHOLE_STREAM,
  ENCODING: WHOLE_STREAM,
  STREAM_LIMIT: WHOLE_STREAM,
  REDIRECT: 'Give the address to which the server redirects with --model-endpoint.',
  TIMEOUT: 'Lower the load of the server (--max-num-seqs), or give it more GPUs.',
  EARLY_END: ENDINGS,
  SKIPPED_EOS_EOT: ENDINGS,
  TOO_LONG: ENDINGS,
  TOO_SHORT: ENDINGS,
}

/** One finding per cause, with the first example, and one for answers that could not be judged. */
export function verdictFindings(
  samples: readonly Sample[],
  { movedText }: Pick<ServerInspection, 'movedText'>,
): Finding[] {
  const failures = new Map<Cause, { count: number; detail: string }>()
  const unjudged: string[] = []
  for (const { verdict, request } of samples) {
    if (verdict.kind === 'inconclusive') unjudged.push(verdict.detail)
    if (verdict.kind !== 'failed' || explains(movedText, verdict.cause, request.endpoint)) continue
    const known = failures.get(verdict.cause)
    if (known) known.count++
    else failures.set(verdict.cause, { count: 1, detail: verdict.detail })
  }
  const findings = [...failures].map(
    ([cause, { count, detail }]): Finding => ({
      code: 'answer-failed',
      weight: 'fails',
      cause,
      seen: `${count} of ${samples.length} answers fail with ${cause}: ${detail}`,
      fix: FIXES[cause] ?? OWN_MODEL,
    }),
  )
  return unjudged.length === 0 ? findings : [...findings, notJudged(unjudged, samples.length)]
}

/** Where the server moves the text of chats, as its own finding says. */
export function movedTextFinding(
  samples: readonly Sample[],
  { movedText }: Pick<ServerInspection, 'movedText'>,
): Finding[] {
  if (movedText === undefined || movedText === 'nowhere') return []
  const fails = samples.some(
    ({ verdict, request }) =>
      verdict.kind === 'failed' && explains(movedText, verdict.cause, request.endpoint),
  )
  const [where, fix] =
    movedText === 'reasoning'
      ? ['reasoning', 'Start the server without --reasoning-parser.']
      : ['tool calls', 'Start the server without --enable-auto-tool-choice and --tool-call-parser.']
  return [
    {
      code: 'chat-text-moved',
      weight: fails ? 'fails' : 'warns',
      seen: `The server moves the text of chats from content to ${where}, where users and older validators do not find it.`,
      fix,
    },
  ]
}

function explains(
  movedText: ServerInspection['movedText'],
  cause: Cause,
  endpoint: Sample['request']['endpoint'],
): boolean {
  const isMoved = movedText !== undefined && movedText !== 'nowhere'
  return isMoved && cause === 'TOKEN_TEXT_MISMATCH' && endpoint === 'chat'
}

function notJudged(details: readonly string[], count: number): Finding {
  return {
    code: 'not-judged',
    weight: 'fails',
    seen: `${details.length} of ${count} answers could not be judged: ${details[0] ?? ''}`,
    fix: 'Check that the reference engine runs, has memory left and accepts prompt_logprobs.',
  }
}
