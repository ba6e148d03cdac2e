import { BURST_MARGIN, DEFAULT_LIMITS, STRICT_BURST_RULE } from '../inference/index.js'

/** A number that strict verdicts depend on, with the reason for its value. */
export interface Threshold {
  readonly value: number
  readonly reason: string
}

function threshold(value: number, reason: string): Threshold {
  return { value, reason }
}

/** All tuned numbers of the `strict` rules. docs/verification.md prints this table and the experiment behind it. */
export const THRESHOLDS = {
  gapMs: threshold(DEFAULT_LIMITS.gapMs, 'Between two tokens, as in 4.4.1 (read timeout 5 s). Milliseconds.'),
  lineBytes: threshold(
    DEFAULT_LIMITS.lineBytes,
    'A chunk of 500 tokens that a lagging server merged; a longer line is neither kept in memory nor parsed.',
  ),
  streamBytes: threshold(
    DEFAULT_LIMITS.streamBytes,
    'The longest answer requested, 1,920 tokens with all logprobs, is less than half of this.',
  ),
  extraEvents: threshold(
    DEFAULT_LIMITS.extraEvents,
    'Events beyond max_tokens: role, finish, usage and [DONE], with room to spare.',
  ),
  burstTokens: threshold(
    STRICT_BURST_RULE.exemptTokens,
    'As in 4.4.1: the arrival times of answers of up to this many tokens are not judged.',
  ),
  burstLead: threshold(
    STRICT_BURST_RULE.leadShare,
    'As in 4.4.1: an answer counts as generated first and streamed later when this share of its tokens …',
  ),
  burstTime: threshold(STRICT_BURST_RULE.timeShare, 'As in 4.4.1: … arrived after this share of its time …'),
  burstSpeed: threshold(
    STRICT_BURST_RULE.minTokensPerSecond,
    '… and the others at this many tokens/s or more: an answer that waited in a queue streams no faster than it is generated (--verification.burst).',
  ),
  burstMargin: threshold(
    BURST_MARGIN,
    '… and this many times as fast as the model was measured to stream, by the reference engine or the median of the other miners. vLLM and the network deliver tokens unevenly.',
  ),
  referenceTopK: threshold(
    20,
    'Largest number of logprobs a stock vLLM returns; one setting serves all temperatures.',
  ),
  shortestAnswer: threshold(
    3,
    'As in 4.4.1: fewer tokens prove nothing. Where the model really ended, they are verified without a speed.',
  ),
  sentinelLogprob: threshold(
    100,
    'vLLM never reports a sampled token below -100; clients write -100 where a miner sent none.',
  ),
  positiveLogprob: threshold(1e-3, 'A log-softmax may round to slightly above 0, never to more.'),
  falseAlarm: threshold(
    1e-7,
    'Bound on the probability that chance alone fails an honest answer, per statistical check: one in ten million.',
  ),
  lowestTemperature: threshold(
    0.1,
    'Below this, sampling is greedy except for ties. Expectations are computed at this temperature, so that a tie broken differently by another batch or card does not fail.',
  ),
  numericNoise: threshold(
    0.75,
    'Nats by which two correct engines may differ on one token in bfloat16, at worst.',
  ),
  tokenCredit: threshold(
    0.02,
    'Surprise per token (nats) attributed to numeric noise before an answer counts as unlikely.',
  ),
  surpriseLimit: threshold(
    12,
    'A single token counts at most this many nats, so that one rare token cannot decide the sum.',
  ),
  hardestTopP: threshold(
    0.7,
    'For requests that leave top_p to the server: the expected number of tokens that are not the likeliest is that of a server with this top_p, or with that of the model’s generation_config.json when it is lower (usual: 0.8 to 1).',
  ),
  hardestTopK: threshold(5, 'The same for top_k (usual: 20 and more).'),
  membershipExtra: threshold(3, 'Top trunc(10·T)+3 of 4.4.1’s random check.'),
  endStake: threshold(
    0.1,
    'Share of the evidence that each answer stakes on the claim that a miner chooses where its answers end: enough for one chosen end in ten to show, and an honest miner loses it back.',
  ),
  endTokenDoubt: threshold(
    1e-9,
    'No end token counts as more certain than 1 minus this: single precision cannot distinguish probabilities closer to 1.',
  ),
  agreementNats: threshold(
    0.25,
    'Claimed and reference logprob agree within this many nats plus agreementSlope times the logprob.',
  ),
  agreementSlope: threshold(0.05, 'Rare tokens have more numeric noise than likely ones.'),
  certainLogprob: threshold(
    0.05,
    'Above exp(-0.05) = 95 % on both sides any two models agree: such tokens do not tell models apart.',
  ),
  tellingTokens: threshold(
    8,
    'With fewer telling tokens (those not certain on both sides), all tokens are averaged.',
  ),
  agreement: threshold(
    0.8,
    'Average agreement of the telling tokens: honest answers stay above 0.97, another model below 0.65.',
  ),
  logitShift: threshold(
    0.3,
    'Average shift of a token’s logit (nats) between two correct engines, at worst: other cards, kernels and FP8 caches stay below 0.25.',
  ),
  logitShiftMost: threshold(
    3,
    'A single token counts at most this many nats of shift, so that one token cannot decide the average.',
  ),
  knownWithin: threshold(
    0.5,
    'A temperature-scaled logprob counts only when the unseen tail leaves it uncertain by at most this (nats).',
  ),
  roundsToZero: threshold(
    1e-4,
    'A single-precision log-softmax is exactly 0 only when all other tokens together have less probability than this, allowing for noise.',
  ),
  overfitPerTemperature: threshold(
    0.5,
    'As in 4.4.1: overfit when the share of certain tokens reaches 1 minus this times the temperature …',
  ),
  overfitMost: threshold(0.6, 'As in 4.4.1: … but at least 1 minus this.'),
  overfitSlack: threshold(
    0.1,
    'Share of exact zeros allowed beyond those of which the reference itself is certain.',
  ),
} as const satisfies Record<string, Threshold>
