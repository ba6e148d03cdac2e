import type { Standing } from '../evidence/index.js'
import type { Verdict } from '../verification/index.js'
import type { EngineReplay } from './engine-replay.js'
import { outcomeOf, type Replay } from './replay.js'

/** What a replay without an engine gave, a sentence per line. */
export function describeReplay({ answers, gaps, relayed, standing, alarms, verdicts }: Replay): string[] {
  return [
    `${count(answers, 'answer')}, all as recorded. Each alone: ${outcomes(verdicts)} (strict).`,
    ...(relayed > 0 ? [`A hub reported ${relayed} of them; they count towards suspicion alone.`] : []),
    ...(gaps > 0 ? [`${gaps} of them do not follow the one before: others were weighed between them.`] : []),
    ...alarms.map(({ index, alarm }) => `Answer ${index + 1} raised the alarm by ${alarm.statistic}.`),
    `Standing: ${wealth(standing)}.`,
    standing.sentence,
  ]
}

/** What the reader's own engine made of the same answers, a sentence per line. */
export function describeEngineReplay(replay: EngineReplay, urls: readonly string[]): string[] {
  const { answers, compared, obstacle, strict, targon4, recorded, own } = replay
  const missing = answers - compared
  return [
    ...referenceSentences(replay, urls.join(', ')),
    ...(missing > 0
      ? [`${count(missing, 'answer')} could not be compared here${obstacle ? `: ${obstacle}` : '.'}`]
      : []),
    `Each answer alone by this engine: ${outcomes(strict)} (strict); ${outcomes(targon4)} (targon-4).`,
    `These answers alone: ${wealth(recorded)} by the reference of the bundle, ${wealth(own)} by this engine.`,
    `By this engine: ${own.sentence}`,
  ]
}

function referenceSentences(replay: EngineReplay, url: string): string[] {
  const { compared, answers, otherPrompts, difference, allowed, agrees } = replay
  if (compared === 0) return [`No answer could be compared with the engine at ${url}.`]
  const figures = `its log probabilities differ from those of the bundle by ${difference.toFixed(3)} nats on average, and other hardware explains up to ${allowed.toFixed(3)}`
  const prompts =
    otherPrompts > 0
      ? [
          `The prompt of ${otherPrompts} of ${count(answers, 'answer')} has another number of tokens at this engine: its tokenizer or chat template differs.`,
        ]
      : []
  if (agrees) return [`The engine at ${url} confirms the reference of the bundle: ${figures}.`]
  return [
    difference > allowed
      ? `The engine at ${url} does not confirm the reference of the bundle: ${figures}. This engine and the validator’s run different models or weights.`
      : `The engine at ${url} read other prompts than the validator’s engine.`,
    ...prompts,
  ]
}

/** `10 verified, 2 UNLIKELY_TOKEN`, the most frequent first. */
function outcomes(verdicts: readonly Verdict[]): string {
  const counts = new Map<string, number>()
  for (const verdict of verdicts) counts.set(outcomeOf(verdict), (counts.get(outcomeOf(verdict)) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, number]) => `${number} ${outcome}`)
    .join(', ')
}

function wealth({ level, suspicion, enforced }: Standing): string {
  return `${level} (evidence 10^${enforced.toFixed(2)}, suspicion 10^${suspicion.toFixed(2)})`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
