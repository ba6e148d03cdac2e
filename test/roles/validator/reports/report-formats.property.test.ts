import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatTable } from '../../../../src/cli/index.js'
import type { ModelReport } from '../../../../src/history/index.js'
import { explainReport } from '../../../../src/roles/validator/reports/explained.js'
import type { MinersReport } from '../../../../src/roles/validator/reports/read-report.js'
import { writeCsv } from '../../../../src/roles/validator/reports/report-csv.js'
import { writePage } from '../../../../src/roles/validator/reports/report-page.js'
import { writeText } from '../../../../src/roles/validator/reports/report-text.js'

const MODELS = ['org/a', 'org/b']
const count = fc.nat({ max: 999 })
const failed = fc.dictionary(
  fc.constantFrom('OVERFIT', 'NO_LOGPROBS', 'BAD_STREAM'),
  fc.integer({ min: 1, max: 99 }),
)
const verdicts = fc.record({ verified: count, inconclusive: count, failed })
const speed = fc.integer({ min: 1, max: 500 })
const spread = fc.option(speed.map((p50) => ({ p5: p50, p50, p95: p50 })))
const at = fc.nat({ max: 100 }).map((hour) => new Date(Date.UTC(2026, 0, 1, hour)).toISOString())

const modelReport = (model: string) =>
  fc.record({
    model: fc.constant(model),
    window: fc.array(fc.option(speed), { maxLength: 15 }),
    verdicts,
    notServing: count,
    satOut: count,
    unchecked: count,
    tokensPerSecond: spread,
    timeToFirstTokenMs: spread,
    lastFailures: fc.constant<ModelReport['lastFailures']>([]),
    trend: fc.array(fc.record({ at, verified: count, failed: count, meanTokensPerSecond: speed }), {
      maxLength: 5,
    }),
  })

const past = fc.uniqueArray(fc.nat({ max: 20 }), { maxLength: 4 }).chain((uids) =>
  fc.tuple(
    ...uids.map((uid) =>
      fc.subarray(MODELS, { minLength: 1 }).chain((names) =>
        fc.record({
          uid: fc.constant(uid),
          hotkey: fc.constant(`5Miner${uid}`),
          from: at,
          to: at,
          models: fc.tuple(...names.map(modelReport)),
        }),
      ),
    ),
  ),
)

const present = fc.uniqueArray(fc.nat({ max: 20 }), { maxLength: 4 }).chain((uids) =>
  fc.tuple(
    ...uids.map((uid) =>
      fc.record({
        uid: fc.constant(uid),
        hotkey: fc.constant(`5Miner${uid}`),
        models: fc.subarray(MODELS),
        verdicts,
        last: fc.constant(null),
        meanTokensPerSecond: speed,
        score: fc.integer({ min: 0, max: 1000 }),
      }),
    ),
  ),
)

const reports: fc.Arbitrary<MinersReport> = fc
  .record({ past, present, history: fc.option(fc.boolean(), { nil: undefined }), isRunning: fc.boolean() })
  .map(({ past: miners, present: current, history, isRunning }) => ({
    source: 'validator',
    since: '2026-01-01T00:00:00.000Z',
    miners,
    now: isRunning
      ? {
          ...{
            role: 'validator',
            history,
            startedAt: '2026-01-01T00:00:00.000Z',
            uid: 0,
            hotkey: '5Validator',
          },
          ...{ block: 61, epoch: { index: 2, nextBlock: 90 }, models: MODELS, engines: [], rounds: 12 },
          weights: { block: 60, entries: current.map(({ uid }) => ({ uid, weightU16: uid })) },
          miners: current,
        }
      : null,
  }))

interface Shown {
  readonly uid: string
  readonly model: string
  readonly score: string
  readonly weight: string
  readonly verified: string
  readonly failed: string
  readonly inconclusive: string
  readonly speed: string
}

const orDash = (value: string | undefined) =>
  value === undefined || value === '' || value === '–' ? '-' : value
const sum = (causes: string) =>
  String([...causes.matchAll(/ (\d+)(?:,|$)/g)].reduce((total, [, one]) => total + Number(one), 0))

function inText(text: string): Shown[] {
  return text
    .split('\n')
    .filter((line) => /^ *\d+ {2}/.test(line))
    .map((line) => {
      const [uid, model, score, weight, verified, inconclusive, speed, , , causes] = line
        .trim()
        .split(/ {2,}/)
      const shown = { uid, model, score, weight, verified, inconclusive, speed, failed: sum(` ${causes}`) }
      return shown as Shown
    })
}

function inCsv(text: string): Shown[] {
  const [head, ...lines] = text
    .split('\n')
    .map((line) =>
      [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? '',
      ),
    )
  return lines.map((cells) => {
    const of = (name: string) => orDash(cells[head?.indexOf(name) ?? -1])
    const fixed = (name: string, digits: number) =>
      of(name) === '-' ? '-' : Number(of(name)).toFixed(digits)
    return {
      ...{ uid: of('uid'), model: of('model'), score: fixed('score', 3), weight: of('weight_u16') },
      ...{ verified: of('verified'), failed: of('failed'), inconclusive: of('inconclusive') },
      speed: fixed('tokens_per_second_p50', 1),
    }
  })
}

function inPage(page: string): Shown[] {
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(page)?.[1] ?? ''
  return [...body.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) => {
    const cells = [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell = '']) =>
      orDash(cell.replace(/<[^>]*>/g, '').trim()),
    )
    const [uid, score, weight, verified, failed, inconclusive, speed, model] = cells
    return { uid, model, score, weight, verified, failed, inconclusive, speed } as Shown
  })
}

it('text, CSV, page and JSON show the same numbers', async () => {
  await fc.assert(
    fc.asyncProperty(reports, async (found) => {
      const report = explainReport(found)
      const shown = report.rows.map(
        (row): Shown => ({
          uid: String(row.uid),
          model: row.model || '-',
          score: row.score?.toFixed(3) ?? '-',
          weight: String(row.weightU16 ?? '-'),
          verified: String(row.verified),
          failed: String(row.failed),
          inconclusive: String(row.inconclusive),
          speed: row.tokensPerSecond?.p50.toFixed(1) ?? '-',
        }),
      )
      expect(inText(writeText(report, false, formatTable))).toEqual(shown)
      expect(inCsv(writeCsv(report))).toEqual(shown)
      expect(inPage(await writePage(report))).toEqual(shown)
      const counted = report.miners.reduce((total, { models }) => total + Math.max(1, models.length), 0)
      expect(report.rows).toHaveLength(counted)
    }),
    { numRuns: 60 },
  )
})
