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
import type { HubStatus } from './status-document.js'

const MOST_MODELS = 6

/** What `targon hub status` prints: whether it serves, how requests ended by model, what validators got, and its miners. */
export function writeHubStatus(status: HubStatus, style: StatusStyle): string {
  const head = `${headOf(status, style)}\n\n${modelsOf(status, style)}`
  return `${head}\n\n${minersOf(status, style, rowsBelow(head, style))}`
}

function headOf(status: HubStatus, { now }: StatusStyle): string {
  const { requests, asked, startedAt, netuid, errors } = status
  const uid = status.uid === null ? 'no uid' : `uid ${status.uid}`
  const { answered, refused, failed, left } = requests
  const ended = `${count(answered)} answered, ${count(refused)} refused, ${count(failed)} failed, ${count(left)} left`
  const lines: StatusLine[] = [
    [
      'hub',
      joined(
        `${uid} of subnet ${netuid}`,
        `block ${count(status.block)}`,
        `running ${span(now - Date.parse(startedAt))}`,
      ),
    ],
    ['hotkey', status.hotkey],
    ['state', stateOf(status)],
    ['chain', describeStanding(status.standing, 'hub')],
    [
      'requests',
      joined(`${count(answered + refused + failed + left)} (${ended})`, `${status.inFlight} in flight`),
    ],
    [
      'asked',
      `${count(asked.attempts)} miners; ${count(asked.failovers)} took over from one that failed, ${count(asked.hedges)} ran beside a slow one`,
    ],
    ['errors', countsByName(errors)],
    ['keys', describeKeys(status)],
    ['organics', describeOrganics(status, now)],
  ]
  return writeLines(lines)
}

function stateOf({ isDraining, unavailable, url }: HubStatus): string {
  if (isDraining) return 'shutting down'
  return unavailable === null ? `serving on ${url}` : `not serving: ${unavailable}`
}

function describeKeys({ keys, otherKeys }: HubStatus): string {
  if (keys.length === 0) return ''
  const today = keys.reduce((sum, { tokensToday }) => sum + tokensToday, otherKeys.tokensToday)
  const [most] = keys
  const first = most && most.tokensToday > 0 ? `most by ${most.name} (${most.id})` : undefined
  return joined(`${count(keys.length + otherKeys.keys)}, ${count(today)} tokens today`, first)
}

function describeOrganics({ records, bucket, reports }: HubStatus, now: number): string {
  const last = reports.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0]
  const dropped = records.dropped === 0 ? '' : `, ${count(records.dropped)} dropped`
  const reporter = last && (last.uid === null ? shortHotkey(last.hotkey) : `uid ${last.uid}`)
  return joined(
    `${count(records.rows)} kept${dropped}`,
    bucket ? `bucket of ${count(bucket.rows)}, ${span(now - Date.parse(bucket.drawnAt))} old` : 'no bucket',
    last ? `last report ${ago(last.at, now)} by ${reporter}` : 'no report',
  )
}

function modelsOf({ traffic, models }: HubStatus, style: StatusStyle): string {
  const asked = new Map(traffic.map((row) => [row.model, row]))
  const names = [...new Set([...traffic.map(({ model }) => model).toReversed(), ...models])]
  const { shown, rest } = limitRows(names, MOST_MODELS)
  const rows = shown.map((model) => {
    const row = asked.get(model)
    return [
      model,
      ...[row?.answered ?? 0, row?.failed ?? 0, row?.refused ?? 0].map(count),
      row?.firstTokenMs ? `${count(row.firstTokenMs.p50)} ms` : '-',
      row?.tokensPerSecond ? row.tokensPerSecond.p50.toFixed(1) : '-',
      models.includes(model) ? 'served' : 'not served now',
    ]
  })
  const head = ['model', 'answered', 'failed', 'refused', 'first token', 'tokens/s', '']
  return writeTable([head, ...rows], [1, 2, 3, 4, 5], rest, style)
}

function minersOf({ miners }: HubStatus, style: StatusStyle, most: number): string {
  const shareOf = ({ routing }: HubStatus['miners'][number]) =>
    Math.max(0, ...routing.map(({ share }) => share))
  const sorted = miners.toSorted((a, b) => shareOf(b) - shareOf(a) || b.answered - a.answered)
  const { shown, rest } = limitRows(sorted, most)
  const rows = shown.map((miner) => {
    const { uid, hotkey, answered, failed, inFlight, breaker, silent, models } = miner
    return [
      ...[String(uid), shortHotkey(hotkey), `${Math.round(100 * shareOf(miner))} %`],
      ...[count(answered), count(failed), String(inFlight)],
      breaker === 'closed' ? 'asked' : 'left out',
      silent ?? models.join(', '),
    ]
  })
  const head = ['uid', 'miner', 'best share', 'answered', 'failed', 'in flight', 'state', 'models']
  return writeTable([head, ...rows], [0, 2, 3, 4, 5], rest, style)
}
