import { renderLast, renderUsers } from './scoreboard.js'
import type { MinerRow, Snapshot } from './snapshot.js'

/** What changed between two snapshots, as plain log lines. */
export function narrateChange(before: Snapshot | undefined, now: Snapshot): string[] {
  const verdicts = now.miners.flatMap((miner) => {
    const earlier = before?.miners.find((other) => other.uid === miner.uid)
    return verdictCount(miner) > (earlier ? verdictCount(earlier) : 0) ? [narrateVerdict(now, miner)] : []
  })
  const accusations = now.miners.flatMap((miner) => {
    const earlier = before?.miners.find((other) => other.uid === miner.uid)?.evidence ?? 'clean'
    return miner.evidence === earlier ? [] : [narrateEvidence(now, miner)]
  })
  const lines = [...verdicts, ...accusations]
  if (now.epochs === (before?.epochs ?? 0)) return lines
  const weights = now.miners.map((miner) => `${miner.name} ${miner.weightU16}`).join(', ')
  const users = renderUsers(now).map((line) => `block ${now.block}  ${line}`)
  return [...lines, `block ${now.block}  epoch ${now.epochs} done, weights on chain: ${weights}`, ...users]
}

function narrateVerdict(now: Snapshot, miner: MinerRow): string {
  const speed =
    miner.last?.tokensPerSecond === undefined ? '' : ` at ${miner.last.tokensPerSecond.toFixed(1)} tok/s`
  return `block ${now.block}  uid ${miner.uid} ${miner.name}  ${renderLast(miner.last)}${speed}`
}

function narrateEvidence(now: Snapshot, miner: MinerRow): string {
  const why = miner.accusation === undefined ? '' : `. ${miner.accusation}`
  return `block ${now.block}  uid ${miner.uid} ${miner.name}  evidence: ${miner.evidence}${why}`
}

function verdictCount(miner: MinerRow): number {
  const { verified, inconclusive, failed } = miner.verdicts
  return Object.values(failed).reduce((sum, count) => sum + count, verified + inconclusive)
}
