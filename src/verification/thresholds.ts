import { DEFAULT_LIMITS, STRICT_BURST_RULE } from '../inference/index.js'

/** One number a strict verdict depends on, with the reason for its value. */
export interface Threshold {
  readonly value: number
  readonly reason: string
}

function threshold(value: number, reason: string): Threshold {
  return { value, reason }
}

/** Every tuned number of the `strict` rules; docs/verification.md prints this table and the experiment behind it. */
export const THRESHOLDS = {
  gapMs: threshold(DEFAULT_LIMITS.gapMs, 'Between two tokens, as in 4.4.1 (read timeout 5 s). Milliseconds.'),
  lineBytes: threshold(
    DEFAULT_LIMITS.lineBytes,
    'One event with its logprobs has a few kilobytes; nothing larger is kept in memory.',
  ),
  streamBytes: threshold(
    DEFAULT_LIMITS.streamBytes,
    'The longest answer asked for, 1,920 tokens, with all its logprobs is below half of this.',
  ),
  extraEvents: threshold(
    DEFAULT_LIMITS.extraEvents,
    'Events beyond max_tokens: role, finish, usage and [DONE], with room to spare.',
  ),
  burstTokens: threshold(
    STRICT_BURST_RULE.fromTokens,
    'As in 4.4.1: up to so many tokens an answer is not judged by when its tokens came.',
  ),
  burstLead: threshold(
    STRICT_BURST_RULE.leadShare,
    'As in 4.4.1: an answer was made first when this share of its tokens …',
  ),
  burstTime: threshold(STRICT_BURST_RULE.timeShare, 'As in 4.4.1: … arrived after this share of its time …'),
  burstSpeed: threshold(
    STRICT_BURST_RULE.fromTokensPerSecond,
    '… and the others at this many tokens/s or more: an answer that stood in a queue comes no faster than it is made (--verification.burst).',
  ),
  referenceTopK: threshold(
    20,
    'Largest number of logprobs a stock vLLM answers; one setting serves all temperatures.',
  ),
  shortestAnswer: threshold(3, 'As in 4.4.1: fewer tokens carry no evidence.'),
  sentinelLogprob: threshold(
    100,
    'vLLM never reports a sampled token below -100; clients write -100 where a miner gave none.',
  ),
  positiveLogprob: threshold(1e-3, 'A log-softmax may round to just above 0, never to more.'),
  falseAlarm: threshold(
    1e-7,
    'Bound on the chance that chance alone fails an honest answer, per statistical check: one in ten million.',
  ),
  lowestTemperature: threshold(
    0.1,
    'Below it sampling is greedy but for ties; expectations are computed here, so that a tie broken by another batch or card is no crime.',
  ),
  numericNoise: threshold(
    0.75,
    'Nats by which two correct engines may differ on one token in bfloat16 in the worst case.',
  ),
  tokenCredit: threshold(
    0.02,
    'Surprise per token (nats) granted to numeric noise before an answer counts as unlikely.',
  ),
  surpriseLimit: threshold(
    12,
    'A single token counts no more than this many nats, so that one rare token cannot decide the sum.',
  ),
  hardestTopP: threshold(
    0.7,
    'The fewest tokens that are not the likeliest are expected of a server that cuts at this top_p, or at that of the model’s generation_config.json when it is lower (usual: 0.8 to 1).',
  ),
  hardestTopK: threshold(5, 'The same for top_k (usual: 20 and more).'),
  membershipExtra: threshold(3, 'Top trunc(10·T)+3 of 4.4.1’s random check.'),
  endTokenExtra: threshold(6, 'Top trunc(10·T)+6 of 4.4.1’s early-end check.'),
  endTokenChance: threshold(
    1e-5,
    'An end token outside that top is accepted above this chance: an honest sampler may end there once in many answers.',
  ),
  endTokenDoubt: threshold(
    1e-9,
    'No end token is more certain than this: single precision does not tell chances closer to 1 apart.',
  ),
  agreementNats: threshold(
    0.25,
    'Claimed and reference logprob agree within this many nats plus agreementSlope of the logprob.',
  ),
  agreementSlope: threshold(0.05, 'Rare tokens carry more numeric noise than likely ones.'),
  certainLogprob: threshold(
    0.05,
    'Above exp(-0.05) = 95 % on both sides any two models agree: such tokens say nothing about logprobs.',
  ),
  tellingTokens: threshold(8, 'With fewer telling tokens all tokens are averaged.'),
  agreement: threshold(
    0.8,
    'Average agreement of the telling tokens: honest answers stay above 0.97, another model below 0.65.',
  ),
  knownWithin: threshold(
    0.5,
    'A temperature-scaled logprob counts only when the unseen tail leaves it this certain (nats).',
  ),
  roundsToZero: threshold(
    1e-4,
    'A single-precision log-softmax is exactly 0 only when all other tokens share less than this, noise granted.',
  ),
  overfitPerTemperature: threshold(
    0.5,
    'As in 4.4.1: certain on a share of 1 less this much per unit of temperature …',
  ),
  overfitMost: threshold(0.6, 'As in 4.4.1: … but never less than 1 less this.'),
  overfitSlack: threshold(
    0.1,
    'Share of exact zeros beyond what the reference itself is certain of before it is called overfit.',
  ),
} as const satisfies Record<string, Threshold>
