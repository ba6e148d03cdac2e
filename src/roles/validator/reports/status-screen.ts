import {
  ago,
  count,
  countsByName,
  describeStanding,
  joined,
  limitRows,
  rowsBelow,
  type StatusLine,
  type StatusStyle,
  shortHotkey,
  span,
  writeLines,
  writeTable,
} from '../../status-text.js'
import type { ValidatorStatus } from './status.js'

const MOST_ENGINES = 4

/** What `targon validator status` prints: what the chain says, the last round, verdicts, weights, engines and the best miners. */
export function writeValidatorStatus(status: ValidatorStatus, style: StatusStyle): string {
  const head = headOf(status, style)
  return `${head}\n\n${minersOf(status, style, rowsBelow(head, style))}`
}

function headOf(status: ValidatorStatus, { now }: StatusStyle): string {
  const { startedAt, unready, chain, epoch, block } = status
  const subnet = chain === undefined ? '' : ` of subnet ${chain.netuid}`
  const running = startedAt === undefined ? undefined : `running ${span(now - Date.parse(startedAt))}`
  const state = unready === null ? 'ready' : `not ready: ${unready}`
  const lines: StatusLine[] = [
    ['validator', joined(`uid ${status.uid}${subnet}`, running, `${count(status.rounds)} rounds`)],
    ['hotkey', status.hotkey],
    ['state', unready === undefined ? '' : state],
    ['chain', describeStanding(status.standing, 'validator')],
    [
      'epoch',
      `${count(epoch.index)} at block ${count(block)}, the next in ${count(epoch.nextBlock - block)} blocks`,
    ],
    ['weights', describeWeights(status)],
    ['last round', describeRound(status, now)],
    ['verdicts', describeVerdicts(status)],
    ...enginesOf(status),
  ]
  return writeLines(lines)
}

function describeWeights({ weights, lastSubmission, nextWeights, block }: ValidatorStatus): string {
  const set = weights ?? lastSubmission
  const which = weights ? `for ${countMiners(weights.entries.length)}` : 'by an earlier process'
  const last = set
    ? `set at block ${count(set.block)} (${count(block - set.block)} ago) ${which}`
    : 'none set by this process yet'
  if (!nextWeights) return last
  const next = nextWeights.block > block ? `in ${count(nextWeights.block - block)} blocks` : 'now'
  const reason = nextWeights.reason === undefined ? '' : `; the last attempt set none: ${nextWeights.reason}`
  return joined(last, `next ${next}${reason}`)
}

function describeRound({ lastRound, rounds }: ValidatorStatus, now: number): string {
  if (!lastRound) return rounds === 0 ? 'none yet' : 'none judged yet'
  const { model, judgedAt, verified, failed, inconclusive } = lastRound
  const verdicts = `${verified} verified, ${failed} failed, ${inconclusive} inconclusive`
  return joined(`${ago(judgedAt, now)}: ${verdicts}`, model)
}

/** Over the miners that are registered now. */
function describeVerdicts({ miners }: ValidatorStatus): string {
  const failed = new Map<string, number>()
  let [verified, inconclusive] = [0, 0]
  for (const { verdicts } of miners) {
    verified += verdicts.verified
    inconclusive += verdicts.inconclusive
    for (const [cause, number] of Object.entries(verdicts.failed))
      failed.set(cause, (failed.get(cause) ?? 0) + number)
  }
  const failures = [...failed.values()].reduce((sum, number) => sum + number, 0)
  const causes = countsByName(Object.fromEntries(failed), 4)
  return joined(
    `${count(verified)} verified`,
    `${count(failures)} failed${causes === '' ? '' : ` (${causes})`}`,
    `${count(inconclusive)} inconclusive`,
  )
}

function enginesOf({ engines }: ValidatorStatus): StatusLine[] {
  const sorted = [...engines].sort((a, b) => Number(a.ready) - Number(b.ready))
  const { shown, rest } = limitRows(sorted, MOST_ENGINES)
  const lines = shown.map(({ model, ready, reason = '', next }): StatusLine => {
    const advice = next === undefined ? '' : ` ${next}`
    const fault = `not ready: ${reason.replace(/\.$/, '')}.${advice}`
    return ['engine', `${model} ${ready ? 'ready' : fault}`]
  })
  return rest === '' ? lines : [...lines, ['', rest]]
}

function minersOf({ miners, weights }: ValidatorStatus, style: StatusStyle, most: number): string {
  if (miners.length === 0) return 'No miner can be queried.'
  const weightOf = new Map(weights?.entries.map(({ uid, weightU16 }) => [uid, weightU16]))
  const sorted = [...miners].sort((a, b) => b.score - a.score || a.uid - b.uid)
  const { shown, rest } = limitRows(sorted, most)
  const rows = shown.map(({ uid, hotkey, meanTokensPerSecond, score, verdicts, last, evidence }) => [
    String(uid),
    shortHotkey(hotkey),
    meanTokensPerSecond.toFixed(1),
    score.toFixed(2),
    weightOf.has(uid) ? String(weightOf.get(uid)) : '-',
    count(verdicts.verified),
    count(Object.values(verdicts.failed).reduce((sum, number) => sum + number, 0)),
    worstOf(evidence),
    last === null ? '-' : (last.cause ?? last.kind),
  ])
  const head = ['uid', 'miner', 'tokens/s', 'score', 'weight', 'verified', 'failed', 'evidence', 'last']
  return writeTable([head, ...rows], [0, 2, 3, 4, 5, 6], rest, style)
}

function countMiners(number: number): string {
  return number === 1 ? '1 miner' : `${number} miners`
}

function worstOf(evidence: ValidatorStatus['miners'][number]['evidence']): string {
  const levels = new Set(evidence?.map(({ level }) => level))
  return ['barred', 'suspected', 'clean'].find((level) => levels.has(level as 'clean')) ?? '-'
}
