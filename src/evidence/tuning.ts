/** A number on which evidence depends, with the reason for its value. */
export interface TunedNumber {
  readonly value: number
  readonly reason: string
}

function tuned(value: number, reason: string): TunedNumber {
  return { value, reason }
}

/**
 * All tuned numbers of the evidence. test/evidence/tuning.simulation.test.ts measures what they reach; honest servers with
 * independent, lasting, common or uneven noise stayed below a wealth of 30 in 150 answers, where 10^10 alarms.
 */
export const TUNING = {
  safetyFactor: tuned(
    1.6,
    'Calibrated noise times this is the level of suspicion: from 1.57 on the Laplace tail covers Gaussian noise that flips as many tokens, at every lead. At 2, noise of 0.1 nats on seeded or greedy tokens is no longer found within 10,000 tokens at a calibration of 0.03.',
  ),
  leastLogitScale: tuned(
    0.03,
    'Nats. A machine compared with itself may differ by exactly 0, and the next driver or batch size will not.',
  ),
  leastResidual: tuned(0.015, 'Nats; for the same reason.'),
  leastUnexplained: tuned(
    1e-3,
    'One token in a thousand may differ whatever the lead: detokenisation, a date in the template, a cache of another precision.',
  ),
  floorLogitScale: tuned(
    0.08,
    'Nats. More than 98 % of honest greedy tokens agree across cards and kernels (Token-DiFR); at this scale 2 to 3 % may differ.',
  ),
  floorResidual: tuned(
    0.05,
    'Nats: mean difference of log probabilities between cards and batch sizes in bfloat16 (0.02 to 0.05).',
  ),
  residualCap: tuned(
    1,
    'Nats that one token counts at most; a token that is off by more tells as much as one that is off by this.',
  ),
  certainLogprob: tuned(
    0.05,
    'Above exp(-0.05) = 95 % on both sides any two models agree; such tokens tell nothing.',
  ),
  surpriseLimit: tuned(12, 'Nats that one token counts at most in the surprise, as in the strict rules.'),
  answerCap: tuned(
    1e4,
    'One answer multiplies the evidence by at most this, so that one or two answers never suffice for an alarm, whatever went wrong with them.',
  ),
  answerFloor: tuned(
    1e-13,
    'One answer divides the evidence by at most 1/this; it keeps states short and adds 1e-13 to a mean that must not exceed 1.',
  ),
  smallStake: tuned(
    0.1,
    'Every bet is also placed with this share of the evidence only: a miner that cheats on one answer in ten wins back the others otherwise.',
  ),
  memory: tuned(
    0.99,
    'Each answer weighs 1 % less in the estimates than the next, so that they describe the last hundred or so.',
  ),
  returnDoubt: tuned(
    100,
    'A barred miner that is honest again is held back longer in at most one of this many cases.',
  ),
  cleanAnswerTokens: tuned(
    20,
    'Judged tokens that an answer needs to count as clean; shorter ones show nothing.',
  ),
} as const satisfies Record<string, TunedNumber>
