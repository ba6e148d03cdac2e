import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { type Condition, type Finding, startAlerts } from '../../src/alerts/index.js'
import { ManualClock } from '../support/manual-clock.js'

const source = { role: 'miner', name: 'miner', netuid: 4, hotkey: '5Hot', version: '5.0.0' } as const

function start(conditions: readonly Condition[]) {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const alerts = startAlerts({ clock, log, conditions, source, repeatMs: 0 })
  return { clock, lines, alerts }
}

describe('conditions', () => {
  it('are looked at every 15 seconds; what they find is logged and shown, also without a webhook', async () => {
    const findings: Finding[] = []
    const condition: Condition = {
      id: 'disk-nearly-full',
      severity: 'critical',
      forMs: 0,
      look: () => findings,
    }
    const { clock, lines, alerts } = start([condition])
    await clock.advance(60_000)
    expect(alerts.active()).toEqual([])
    findings.push({ sentence: 'Only 3 MiB are free.', next: 'Free some space.' })
    await clock.advance(15_000)
    expect(alerts.active()).toMatchObject([{ id: 'disk-nearly-full', sentence: 'Only 3 MiB are free.' }])
    findings.pop()
    await clock.advance(90_000)
    expect(alerts.active()).toEqual([])
    expect(lines).toMatchObject([
      { event: 'alert-raised', alert: 'disk-nearly-full', severity: 'critical', isReminder: false },
      { event: 'alert-resolved', alert: 'disk-nearly-full' },
    ])
    await alerts.close()
    expect(clock.waiting).toBe(0)
  })

  it('that throw or hang are logged once and neither end nor hide the others', async () => {
    const never = new Promise<never>(() => {})
    const { clock, lines, alerts } = start([
      { id: 'hangs', severity: 'warning', forMs: 0, look: () => never },
      {
        ...{ id: 'throws', severity: 'warning', forMs: 0 },
        look: () => {
          throw new Error('no such folder')
        },
      },
      { id: 'finds', severity: 'warning', forMs: 0, look: () => [{ sentence: 'Found.' }] },
    ])
    await clock.advance(120_000)
    expect(alerts.active()).toMatchObject([{ id: 'finds' }])
    const failed = lines.filter(({ event }) => event === 'alert-condition-failed')
    expect(failed.map(({ alert }) => alert).sort()).toEqual(['hangs', 'throws'])
    await alerts.close()
  })
})
