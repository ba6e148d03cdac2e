/**
 * Estimated minutes that the longer files of the gauntlet take at full counts on two idle cores; every other file counts as one
 * minute.
 */
export const MINUTES: Readonly<Record<string, number>> = {
  'accounts-kill': 5,
  'engine-faults': 30,
  'history-kill': 5,
  'honest-answers': 10,
  'honest-noise': 5,
  'hostile-rounds': 10,
  'hostile-share': 6,
  'hub-kill': 15,
  'lying-endpoint': 8,
  'miner-admission': 4,
  'miner-fuzz': 25,
  'score-file': 10,
  'side-services': 10,
  update: 35,
  'weights-drops': 35,
  'weights-faults': 10,
  'weights-kill': 35,
}
