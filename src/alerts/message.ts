import { escapeControls } from '../kernel/index.js'
import type { Batch } from './outbox.js'
import type { AlertChange } from './types.js'

export const ALERT_FORMATS = ['json', 'slack', 'discord'] as const

export type AlertFormat = (typeof ALERT_FORMATS)[number]

/** Who tells. */
export interface AlertSource {
  readonly role: 'miner' | 'validator' | 'hub'
  /** Name of the state folder, which tells nodes of one hotkey apart. */
  readonly name: string
  readonly netuid: number
  readonly hotkey: string
  readonly version: string
}

/** The format that a host expects; other hosts get JSON. */
export function formatOf(url: URL): AlertFormat {
  const host = url.hostname.toLowerCase()
  if (host === 'hooks.slack.com' || host === 'hooks.slack-gov.com') return 'slack'
  return /^(?:[a-z]+\.)?discord(?:app)?\.com$/.test(host) ? 'discord' : 'json'
}

/** The body of a message, as JSON. */
export function writeMessage(format: AlertFormat, source: AlertSource, batch: Batch): string {
  if (format === 'json') return JSON.stringify(documentOf(source, batch))
  const lines = linesOf(source, batch)
  if (format === 'slack')
    return JSON.stringify({ text: lines.map(escapeSlack).join('\n'), unfurl_links: false })
  return JSON.stringify({ content: fitted(lines.map(escapeDiscord)), allowed_mentions: { parse: [] } })
}

function documentOf(node: AlertSource, { changes, omitted }: Batch) {
  return {
    version: 1,
    node,
    alerts: changes.map(({ kind, alert, lastedMs }) => ({
      status: kind,
      ...alert,
      ...(kind === 'raised' ? {} : { lastedSeconds: Math.round(lastedMs / 1000) }),
    })),
    omitted,
  }
}

function linesOf({ role, name, netuid, hotkey, version }: AlertSource, { changes, omitted }: Batch) {
  const title = name === role ? role : `${role} ${name}`
  const more = omitted > 0 ? [`${omitted} more changes are not listed: look at /status.`] : []
  const head = `Targon ${title}, subnet ${netuid}, hotkey ${hotkey}, version ${version}`
  return [head, ...changes.map(lineOf), ...more]
}

function lineOf({ kind, alert, lastedMs }: AlertChange): string {
  const { id, severity, sentence, next } = alert
  if (kind === 'resolved') return `[resolved after ${inWords(lastedMs)}] ${id}: ${sentence}`
  const label = kind === 'raised' ? severity : `${severity}, for ${inWords(lastedMs)}`
  return `[${label}] ${id}: ${sentence}${next === undefined ? '' : ` ${next}`}`
}

function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}

/** Slack reads links, mentions and channels in angle brackets. */
function escapeSlack(line: string): string {
  return escapeControls(line).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

/** Discord reads Markdown; mentions are turned off beside the text. */
function escapeDiscord(line: string): string {
  return escapeControls(line).replace(/[\\*_`~|[\]<>#-]/g, '\\$&')
}

/** Discord refuses a message of more than 2000 characters. */
const MAX_DISCORD = 2000
const CUT = '\nThe rest does not fit: look at /status.'

function fitted(lines: readonly string[]): string {
  const whole = lines.join('\n')
  if (whole.length <= MAX_DISCORD) return whole
  const kept: string[] = []
  let room = MAX_DISCORD - CUT.length
  for (const line of lines) {
    room -= line.length + 1
    if (room < 0) break
    kept.push(line)
  }
  return `${kept.join('\n')}${CUT}`
}
