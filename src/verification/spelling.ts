import type { ModelFacts } from '../engine/index.js'
import type { OutputToken } from '../inference/index.js'
import { checkText, type Failure } from './checks/index.js'
import type { ReadyVerification } from './verification-request.js'

/** Control tokens as the model families write them, for models whose files do not list their special tokens. */
const SPECIAL =
  /<[|｜][^|｜<>\s]{1,64}[|｜]>|\[\|[^|[\]\s]{1,64}\|\]|<\/?s>|<(?:unk|pad|bos|eos|mask|start_of_turn|end_of_turn)>/g

/** What vLLM's reasoning parsers take out of the stream when they move the text between to another field. */
const REASONING_TAGS = ['<think>', '</think>', '[THINK]', '[/THINK]']

/** Distinct control tokens looked up per answer. */
const MAX_LOOKUPS = 16

/**
 * Compares the ids with the streamed text. Only real tokens of the model may be missing from the text, never be added to it:
 * its special tokens, which servers do not stream, and the tags around reasoning. Their ids are left out and the rest must
 * spell the text; nothing is stripped from the text itself, in which a miner may write what it likes.
 */
export async function checkSpelling(
  verification: ReadyVerification,
  ids: readonly number[],
): Promise<Failure | undefined> {
  const { answer, engine, facts, signal } = verification
  const visible = idsWithText(answer.tokens, ids, facts)
  const spelled = await engine.detokenize(visible, signal)
  const mismatch = checkText(answer.text, spelled)
  if (!mismatch) return undefined
  // A server without a reasoning parser streams the tags, but no special tokens.
  const { special, tags } = await findUnstreamed(verification, visible, spelled)
  let remaining = visible
  for (const unstreamed of [special, tags]) {
    const streamed = remaining.filter((id) => !unstreamed.has(id))
    if (streamed.length === remaining.length) continue
    if (!checkText(answer.text, await engine.detokenize(streamed, signal))) return undefined
    remaining = streamed
  }
  return mismatch
}

/**
 * The ids that stand for text. vLLM streams the end token without text, and every model writes it differently
 * (`<|eot_id|>`, `<｜end▁of▁sentence｜>`, `[|endofturn|]`), so a last end token that was streamed without text is left out.
 */
function idsWithText(
  tokens: readonly OutputToken[],
  ids: readonly number[],
  { eosTokenIds, endOfTurnId, tokenizerEosId }: ModelFacts,
): readonly number[] {
  const last = ids.at(-1)
  const ends = [...eosTokenIds, endOfTurnId, tokenizerEosId]
  const isEnd = last !== undefined && ends.includes(last)
  return isEnd && tokens.at(-1)?.text === '' ? ids.slice(0, -1) : ids
}

interface Unstreamed {
  readonly special: ReadonlySet<number>
  /** Tags around reasoning, which a reasoning parser takes out. */
  readonly tags: ReadonlySet<number>
}

/** Ids of the answer that an honest server may not stream as text. */
async function findUnstreamed(
  { engine, facts, signal }: ReadyVerification,
  ids: readonly number[],
  spelled: string,
): Promise<Unstreamed> {
  const { specialTokenIds } = facts
  const [special, tags] = [new Set(specialTokenIds), new Set<number>()]
  const addIds = async (names: readonly string[], found: Set<number>) => {
    for (const name of names) {
      const [id, ...others] = await engine.tokenizeText(name, signal, { addSpecialTokens: false })
      // Spelled from several ordinary tokens, it is text like any other.
      if (id !== undefined && others.length === 0 && ids.includes(id)) found.add(id)
    }
  }
  await addIds(
    REASONING_TAGS.filter((tag) => spelled.includes(tag)),
    tags,
  )
  if (!specialTokenIds) await addIds([...new Set(spelled.match(SPECIAL))].slice(0, MAX_LOOKUPS), special)
  return { special, tags }
}
