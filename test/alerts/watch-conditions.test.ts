import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { type AlertsOptions, type Condition, type Finding, startAlerts } from '../../src/alerts/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const source = { role: 'miner', name: 'miner', netuid: 4, hotkey: '5Hot', version: '5.0.0' } as const

async function start(conditions: readonly Condition[], options: Partial<AlertsOptions> = {}) {
  const clock = new ManualClock()
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const alerts = await startAlerts({ clock, log, conditions, source, repeatMs: 0, ...options })
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
    const { clock, lines, alerts } = await start([condition])
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
    const { clock, lines, alerts } = await start([
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

describe('a restart', () => {
  const stale: Finding = { sentence: 'No new block has arrived.' }
  const condition = (findings: readonly Finding[], settleMs = 0): Condition => {
    return { ...{ id: 'chain-stale', severity: 'critical', forMs: 0, settleMs }, look: () => findings }
  }
  const raisedIn = (lines: readonly Record<string, unknown>[]) =>
    lines.flatMap(({ event }) => (event === 'alert-raised' || event === 'alert-resolved' ? [event] : []))

  async function raiseBefore(): Promise<string> {
    const file = join(temporaryFolder('alerts'), 'alerts.json')
    const first = await start([condition([stale])], { file })
    await advance(first.clock, 15_000, () => first.alerts.active().length === 1)
    await first.alerts.close()
    expect(raisedIn(first.lines)).toEqual(['alert-raised'])
    return file
  }

  /** Lets the file system finish between the steps of the clock. */
  async function advance(clock: ManualClock, ms: number, holds: () => boolean): Promise<void> {
    await clock.advance(ms)
    await expect.poll(holds).toBe(true)
  }

  it('neither repeats an alert that still stands nor forgets it', async () => {
    const file = await raiseBefore()
    const { clock, lines, alerts } = await start([condition([stale])], { file })
    expect(alerts.active()).toMatchObject([{ id: 'chain-stale' }])
    await clock.advance(60_000)
    expect(alerts.active()).toMatchObject([{ id: 'chain-stale' }])
    expect(raisedIn(lines)).toEqual([])
    await alerts.close()
  })

  it('resolves an alert that is gone once its condition can tell', async () => {
    const file = await raiseBefore()
    const { clock, lines, alerts } = await start([condition([], 300_000)], { file })
    await clock.advance(290_000)
    expect(alerts.active()).toHaveLength(1)
    for (let step = 0; step < 8; step++) {
      await clock.advance(15_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => raisedIn(lines)).toEqual(['alert-resolved'])
    await alerts.close()
    expect((await start([], { file })).alerts.active()).toEqual([])
  })

  it('survives a damaged file and a folder that cannot be written', async () => {
    const file = join(temporaryFolder('alerts'), 'alerts.json')
    writeFileSync(file, '{"alerts": 7')
    const damaged = await start([condition([stale])], { file })
    expect(damaged.alerts.active()).toEqual([])
    await damaged.alerts.close()
    const absent = await start([condition([stale])], { file: '/nonexistent/alerts.json' })
    await advance(absent.clock, 15_000, () => absent.lines.some(({ event }) => event === 'alerts-not-saved'))
    await absent.alerts.close()
  })
})
