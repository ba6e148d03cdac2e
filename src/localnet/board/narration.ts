import { renderLast } from './scoreboard.js'
import type { MinerRow, Snapshot } from './snapshot.js'

/** What changed between two snapshots, as plain log lines. */
export function narrateChange(before: Snapshot | undefined, now: Snapshot): string[] {
  const verdicts = now.miners.flatMap((miner) => {
    const earlier = before?.miners.find((other) => other.uid === miner.uid)
    return verdictCount(miner) > (earlier ? verdictCount(earlier) : 0) ? [narrateVerdict(now, miner)] : []
  })
  if (now.epochs === (before?.epochs ?? 0)) return verdicts
  const weights = now.miners.map((miner) => `${miner.name} ${miner.weightU16}`).join(', ')
  return [...verdicts, `block ${now.block}  epoch ${now.epochs} done, weights on chain: ${weights}`]
}

function narrateVerdict(now: Snapshot, miner: MinerRow): string {
  const speed =
    miner.last?.tokensPerSecond === undefined ? '' : ` at ${miner.last.tokensPerSecond.toFixed(1)} tok/s`
  return `block ${now.block}  uid ${miner.uid} ${miner.name}  ${renderLast(miner.last)}${speed}`
}

function verdictCount(miner: MinerRow): number {
  const { verified, inconclusive, failed } = miner.verdicts
  return Object.values(failed).reduce((sum, count) => sum + count, verified + inconclusive)
}
