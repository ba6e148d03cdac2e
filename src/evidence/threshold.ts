/**
 * The wealth at which evidence alarms. Detectors reach A within N answers of an honest miner with a probability of at most
 * N/A, so A = N/α keeps the probability of a false alarm per miner and month at α, all its models together.
 *
 * @param falseAlarm α, greater than 0 and below 1
 * @param answersPerMonth answers of one miner in a month at the round rate in force
 */
export function alarmThreshold(falseAlarm: number, answersPerMonth: number): number {
  return Math.max(1, answersPerMonth) / Math.min(1, Math.max(falseAlarm, 1e-15))
}
