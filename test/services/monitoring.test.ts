import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { dashboards } from '../../scripts/monitoring/dashboards.js'
import { renderDashboard } from '../../scripts/monitoring/panels.js'
import { systemClock } from '../../src/kernel/clock.js'
import { LOCALNET_MODELS } from '../../src/localnet/network/cast.js'
import { runCli, startCli } from '../support/cli-process.js'
import { startDevelopmentParts } from '../support/development-parts.js'
import {
  hasPrometheus,
  monitoringFolder,
  type Prometheus,
  promtool,
  startPrometheus,
} from '../support/prometheus.js'

const skip = !hasPrometheus()
if (skip) console.warn('monitoring.test.ts is skipped: prometheus and promtool are not installed.')

const ruleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ record: z.string().optional(), alert: z.string().optional(), expr: z.string() }),
      ),
    }),
  ),
})

function rulesOf(name: string) {
  const text = readFileSync(join(monitoringFolder, name), 'utf8')
  return ruleFile.parse(parse(text)).groups.flatMap(({ rules }) => rules)
}

/** Queries of the dashboards, by dashboard, panel and number. */
function dashboardQueries(): [name: string, expression: string][] {
  return Object.entries(dashboards).flatMap(([file, { rows }]) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(([expression], index): [string, string] => [
          `${file}: ${title} ${index + 1}`,
          expression,
        ]),
      ),
    ),
  )
}

/** As Grafana fills them in. */
function fillIn(expression: string): string {
  return expression
    .replaceAll('$instance', '.+')
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '10m')
}

/**
 * Series that exist only after something went wrong, or that this network has no part for. Every other series that a rule or a
 * dashboard names must exist.
 */
const ABSENT: Readonly<Record<string, string>> = {
  targon_alerts: 'no alert is raised',
  targon_alert_messages_total: 'no webhook is set',
  targon_update_checks_total: 'automatic updates are off',
  targon_validator_evidence_alarms_total: 'evidence accuses no honest miner',
  targon_validator_inconclusive_total: 'verdicts of a healthy validator are conclusive',
  targon_epistula_rejections_total: 'every caller is admitted',
  'targon_weights_attempts_total{result=~"refused|unconfirmed|skipped"}': 'weights are not refused',
  'targon_miner_model_requests_total{outcome="failed"}': 'the model server answers',
  'instance_outcome:targon_miner_requests:rate5m{outcome="failed"}': 'no admitted request fails',
  'targon_hub_model_requests_total{outcome="failed"}': 'no request of a user fails',
  'instance_outcome:targon_hub_requests:rate5m{outcome="failed"}': 'no request of a user fails',
}

const SELECTOR = /\b(?:targon_|gen_ai_|nodejs_|process_|instance(?:_\w+)?:|up\b)[\w:]*(?:\{[^}]*\})?/g

/** The selectors of an expression, without ranges, groupings and the choice of the node. */
function selectorsOf(expression: string): string[] {
  const plain = expression.replaceAll(/\[[^\]]*\]|\b(?:by|without|on|ignoring) \([^)]*\)/g, '')
  return (plain.match(SELECTOR) ?? []).map((selector) =>
    selector
      .replace(/instance=~"[^"]*"(?:, )?/, '')
      .replace(/, \}$/, '}')
      .replace(/\{\}$/, ''),
  )
}

function isAbsent(selector: string): boolean {
  return Object.keys(ABSENT).some((known) => selector === known || selector.startsWith(`${known}{`))
}

describe.skipIf(skip)('the rules for Prometheus (skipped without prometheus)', () => {
  it('are accepted by promtool, with the configuration that loads them', () => {
    expect(promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS')
    expect(promtool('check', 'rules', 'recording.yml', 'alerts.yml')).toContain('SUCCESS')
  })

  it('pass their unit tests, which try every alert', () => {
    const files = ['tests.yml', 'tests-hours.yml']
    expect(promtool('test', 'rules', ...files).match(/SUCCESS/g)).toHaveLength(files.length)
    const tests = files.map((name) => readFileSync(join(monitoringFolder, name), 'utf8')).join('\n')
    for (const { alert } of rulesOf('alerts.yml')) expect(tests).toContain(`alertname: ${alert}`)
  })
})

/** Asks a hub for small answers, one after the other; now and then for a model that nobody serves. @returns what stops it */
function askHub(api: string, secret: string): () => Promise<void> {
  const ending = new AbortController()
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  const ask = async (number: number) => {
    const model = number % 5 === 4 ? 'org/absent' : LOCALNET_MODELS[0]
    const messages = [{ role: 'user', content: `Tell me about ${number}` }]
    const body = JSON.stringify({ model, messages, max_tokens: 40, seed: number, temperature: 0.7 })
    const answer = await fetch(`${api}/v1/chat/completions`, {
      ...{ method: 'POST', headers, body, signal: ending.signal },
    })
    await answer.text()
    await systemClock.sleep(500, ending.signal)
  }
  const asking = (async () => {
    for (let number = 0; !ending.signal.aborted; number++) await ask(number).catch(() => {})
  })()
  return async () => {
    ending.abort()
    await asking
  }
}

describe.skipIf(skip)('a Prometheus that scrapes a miner, a validator and a hub', () => {
  const stopping: (() => Promise<unknown>)[] = []
  let prometheus: Prometheus

  beforeAll(async () => {
    const parts = await startDevelopmentParts()
    stopping.push(parts.stop)
    const genAi = { TARGON_METRICS_GENAI: 'true' }
    const start = async (role: string, variables: Readonly<Record<string, string>>) => {
      const cli = startCli([role, 'start', '--exit-with-stdin'], { ...variables, ...genAi })
      stopping.push(() => cli.stop())
      const statusUrl = new Promise<string>((resolve) => {
        cli.child.on('message', (message) => {
          const told = z.object({ statusUrl: z.string() }).safeParse(message)
          if (told.success) resolve(told.data.statusUrl)
        })
      })
      await cli.ready()
      return { cli, url: await statusUrl }
    }
    const miner = await start('miner', parts.minerVariables)
    const keys = await runCli(['hub', 'keys', 'create', 'ann', '--json'], parts.hubVariables)
    const { secret } = z.object({ secret: z.string() }).parse(JSON.parse(keys.stdout))
    const hub = await start('hub', parts.hubVariables)
    const api = z.object({ url: z.string() }).parse(await (await fetch(`${hub.url}/status`)).json()).url
    const validator = await start('validator', { ...parts.validatorVariables, TARGON_HUB_URL: api })
    prometheus = await startPrometheus({ miner: miner.url, validator: validator.url, hub: hub.url })
    stopping.push(prometheus.stop, askHub(api, secret))
  }, 480_000)

  afterAll(async () => {
    for (const stop of stopping.reverse()) await stop()
  })

  it('sees answers verified, also those of users, and weights set', { timeout: 400_000 }, async () => {
    const weights = 'increase(targon_weights_attempts_total{result="set"}[5m]) > 0'
    const verified = 'increase(targon_validator_verdicts_total{cause="verified"}[5m]) > 3'
    const reported = 'increase(targon_hub_verdicts_total{result="verified"}[5m]) > 0'
    const isRunning = async () => {
      const series = await Promise.all([weights, verified, reported].map((query) => prometheus.query(query)))
      return series.every(({ length }) => length > 0)
    }
    await expect.poll(isRunning, { timeout: 380_000, interval: 2000 }).toBe(true)
  })

  it('has every series that a rule or a dashboard names, except those of failures', async () => {
    const expressions = [
      ...[...rulesOf('recording.yml'), ...rulesOf('alerts.yml')].map(({ expr }) => expr),
      ...dashboardQueries().map(([, expression]) => expression),
    ]
    const selectors = [...new Set(expressions.flatMap((expression) => selectorsOf(fillIn(expression))))]
    expect(selectors.length).toBeGreaterThan(40)
    const found = await Promise.all(
      selectors.map(async (selector) => ({ selector, series: (await prometheus.query(selector)).length })),
    )
    const empty = found.flatMap(({ selector, series }) => (series === 0 ? [selector] : []))
    expect(empty.filter((selector) => !isAbsent(selector))).toEqual([])
  })

  it('gets a value for every recording rule', async () => {
    const empty: string[] = []
    for (const { record = '', expr } of rulesOf('recording.yml')) {
      if ((await prometheus.query(record)).length === 0) empty.push(record)
      if ((await prometheus.query(expr)).length === 0) empty.push(expr)
    }
    expect(empty).toEqual([])
  })

  it('gets a value for every query of a dashboard, except those about failures', async () => {
    const empty: string[] = []
    for (const [name, expression] of dashboardQueries()) {
      const selectors = selectorsOf(fillIn(expression))
      if ((await prometheus.query(fillIn(expression))).length > 0) continue
      if (!selectors.some(isAbsent)) empty.push(`${name}: ${expression}`)
    }
    expect(empty).toEqual([])
  })

  it('evaluates every alert, and none fires while all is well', async () => {
    for (const { expr } of rulesOf('alerts.yml')) await prometheus.query(expr)
    expect(await prometheus.firing()).toEqual([])
  })

  it('has no hotkey in a label', async () => {
    const all = await prometheus.query('{job="targon"}')
    expect(all.length).toBeGreaterThan(200)
    const values = all.flatMap(({ metric }) => Object.values(metric))
    expect(values.filter((value) => /\b5[1-9A-HJ-NP-Za-km-z]{46,}\b/.test(value))).toEqual([])
  })
})

it('the dashboards are those that the script writes', () => {
  const folder = join(monitoringFolder, 'grafana')
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(dashboards)
      .map((name) => `${name}.json`)
      .sort(),
  )
  for (const [name, dashboard] of Object.entries(dashboards))
    expect(readFileSync(join(folder, `${name}.json`), 'utf8')).toBe(renderDashboard(dashboard))
})
