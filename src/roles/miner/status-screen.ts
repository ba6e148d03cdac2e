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
} from '../status-text.js'
import type { MinerStatus } from './status-document.js'

const MOST_SERVERS = 6
const MOST_WORKERS = 8

/** What `targon miner status` prints: what the chain says, who asked, and what the model servers do. */
export function writeMinerStatus(status: MinerStatus, style: StatusStyle): string {
  const parts = [headOf(status, style), serversOf(status, style), workersOf(status, style)]
  const head = parts.filter((part) => part !== '').join('\n\n')
  const callers = callersOf(status, style, rowsBelow(head, style))
  return callers === '' ? head : `${head}\n\n${callers}`
}

function headOf(status: MinerStatus, { now }: StatusStyle): string {
  const { requests, callers, startedAt, unavailable, netuid } = status
  const uid = status.uid === null ? 'no uid' : `uid ${status.uid}`
  const subnet = netuid === undefined ? '' : ` of subnet ${netuid}`
  const running = startedAt === undefined ? undefined : `running ${span(now - Date.parse(startedAt))}`
  const lines: StatusLine[] = [
    ['miner', joined(`${uid}${subnet}`, `block ${count(status.block)}`, running)],
    ['hotkey', status.hotkey],
    ['state', unavailable === undefined ? '' : stateOf(status)],
    ['chain', describeStanding(status.standing, 'miner')],
    ['requests', countEnds(requests, status.inFlight)],
    ['last asked', lastAsked(callers, now)],
    ['refused', countsByName(status.refusals ?? {})],
    ['wanted', describeWanted(status)],
  ]
  return writeLines(lines)
}

function stateOf({ isDraining, unavailable, address, port }: MinerStatus): string {
  if (isDraining) return 'shutting down'
  return unavailable ? `not serving: ${unavailable}` : `serving on ${address}:${port}`
}

function countEnds(requests: MinerStatus['requests'], inFlight: number): string {
  const { answered, refused, failed, abandoned } = requests
  return joined(
    `${count(requests.requests)} (${count(answered)} answered, ${count(refused)} refused, ${count(failed)} failed, ${count(abandoned)} left)`,
    `${inFlight} in flight`,
  )
}

function byLastRequest(callers: MinerStatus['callers']): MinerStatus['callers'] {
  return [...callers].sort((a, b) => Date.parse(b.lastAt ?? '1970') - Date.parse(a.lastAt ?? '1970'))
}

function lastAsked(callers: MinerStatus['callers'], now: number): string {
  const [last] = byLastRequest(callers)
  if (last?.lastAt == null) return 'not yet'
  return `${ago(last.lastAt, now)} by uid ${last.uid} (${shortHotkey(last.hotkey)})`
}

/** Models that callers want against those that are served. */
function describeWanted({ wanted, models }: MinerStatus): string {
  const names = new Set(wanted.flatMap((list) => list.models))
  const missing = [...names].filter((name) => !models.includes(name))
  if (names.size === 0) return ''
  const served = `${names.size - missing.length} of ${names.size} models wanted by validators are served`
  const { shown, rest } = limitRows(missing, 3)
  if (missing.length === 0) return served
  return `${served}; not ${shown.join(', ')}${rest === '' ? '' : ` and ${missing.length - shown.length} more`}`
}

function callersOf({ callers }: MinerStatus, style: StatusStyle, most: number): string {
  if (callers.length === 0) return ''
  const { shown, rest } = limitRows(byLastRequest(callers), most)
  const rows = shown.map(({ uid, hotkey, requests, inFlight, lastAt, refusals }) => [
    String(uid),
    shortHotkey(hotkey),
    count(requests),
    String(inFlight),
    ago(lastAt, style.now),
    countsByName(refusals ?? {}, 3) || '-',
  ])
  const head = ['uid', 'caller', 'requests', 'in flight', 'last', 'refused']
  return writeTable([head, ...rows], [0, 2, 3], rest, style)
}

function serversOf({ upstreams }: MinerStatus, style: StatusStyle): string {
  const { shown, rest } = limitRows(upstreams, MOST_SERVERS)
  const rows = shown.map((server) => [
    server.url,
    server.health,
    `${server.inFlight}/${server.maxInFlight}`,
    server.tokensPerSecond === null ? '-' : server.tokensPerSecond.toFixed(1),
    count(server.failures),
    server.reason ?? server.models.join(', '),
  ])
  const head = ['server', 'health', 'in flight', 'tokens/s', 'failures', 'models']
  return writeTable([head, ...rows], [2, 3, 4], rest, style)
}

function workersOf({ workers = [] }: MinerStatus, style: StatusStyle): string {
  if (workers.length === 0) return ''
  const { shown, rest } = limitRows(workers, MOST_WORKERS)
  const rows = shown.map((worker) => [
    String(worker.id),
    worker.pid === null ? '-' : String(worker.pid),
    worker.state,
    count(worker.requests),
    String(worker.inFlight),
    String(worker.connections),
    count(worker.restarts),
    String(Math.round(worker.memoryBytes / 1e6)),
  ])
  const head = ['worker', 'pid', 'state', 'requests', 'in flight', 'connections', 'restarts', 'MB']
  return writeTable([head, ...rows], [0, 1, 3, 4, 5, 6, 7], rest, style)
}
