import { askRepeatedly, checkLogprobs, type Targon4Entries } from '../../../src/verification/index.js'
import type { Case, Checker } from '../checker.js'

type Entries = Record<string, { logprob: number; rank: number | null }>

function position(entries: Entries | null | undefined): Targon4Entries | null {
  if (!entries) return null
  return new Map(Object.entries(entries).map(([id, entry]) => [Number(id), entry]))
}

/** `[]`, null and "no_output" stand for engines that returned no distribution after the text. */
function finalPosition(value: unknown): Targon4Entries | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return position(value as Entries) ?? undefined
}

/** The prompt_logprobs of the first attempt that has any, and the number of attempts. */
async function askEngine({ prompt_logprobs, null_attempts = 0 }: Case) {
  let attempts = 0
  const positions: (Entries | null)[] | undefined = await askRepeatedly(async () =>
    ++attempts <= null_attempts ? undefined : (prompt_logprobs ?? undefined),
  )
  return { positions, attempts }
}

function judge(
  testCase: Case,
  positions: (Entries | null)[] | undefined,
): { verified: boolean; cause: string } | 'no-verdict' {
  // 4.4.1 raises for a tokenizer without an eos token; ours does not verify without end tokens
  if (testCase.eos_token_id === null || positions === undefined) return 'no-verdict'
  const result = checkLogprobs({
    temperature: testCase.temperature,
    maxTokens: testCase.max_tokens,
    tokens: testCase.output_sequence.map((token: { token_id: number; logprob: number }) => ({
      id: token.token_id,
      logprob: token.logprob,
    })),
    reference: positions.slice(testCase.input_token_count).map((entries) => position(entries)),
    next: finalPosition(testCase.final_logprobs),
    eosTokenId: testCase.eos_token_id,
    endOfTurnId: testCase.eot_token_id,
  })
  if (result.kind === 'no-verdict') return 'no-verdict'
  return { verified: result.kind === 'verified', cause: result.kind === 'failed' ? result.cause : '' }
}

export const checker: Checker = {
  vectors: 'verify_logprobs',
  rules: {},
  async check(testCase) {
    const { expected } = testCase
    const { positions, attempts } = await askEngine(testCase)
    const actual = judge(testCase, positions)
    const wanted =
      expected.raises || expected.result === null
        ? 'no-verdict'
        : { verified: expected.verified, cause: expected.cause }
    const wantedAttempts = expected.engine_request?.attempts ?? attempts
    if (attempts !== wantedAttempts)
      return { agrees: false, detail: `${attempts} attempts instead of ${wantedAttempts}` }
    const agrees = JSON.stringify(actual) === JSON.stringify(wanted)
    return agrees
      ? { agrees }
      : { agrees, detail: `${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}` }
  },
}
