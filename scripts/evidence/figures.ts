import { COLOURS, drawChart, type Frame, line, linearScale, logScale, text } from './chart.js'
import type { EvidenceResults } from './results.js'

const NOTHING = [0, 0, 0] as const

const powerOfTen = (exponent: number) => `10^${exponent}`

/** The wealth of some miners over their tokens, with the threshold. */
export function drawWealth({ curves, rules }: EvidenceResults): string {
  const shown = 10_000
  const box = [60, 40, 600, 330] as const
  const [left, top, right, bottom] = box
  const x = linearScale([0, shown], [left, right], [0, 2000, 4000, 6000, 8000, 10_000])
  const y = linearScale([0, 16], [bottom, top], [0, 4, 8, 12, 16], powerOfTen)
  const title =
    'Evidence over tokens for an honest miner and five that cheat; all but noise 0.1 cross the threshold, the honest one stays low.'
  const frame: Frame = {
    ...{ width: 860, height: 380, x, y, box, title },
    ...{
      xLabel: 'tokens, answers of 200 tokens',
      yLabel: 'evidence at the enforced level; dashed: suspicion',
    },
  }
  const ends = curves.map(({ points }) => points.filter(([tokens]) => tokens <= shown).at(-1) ?? NOTHING)
  const places = spread(ends.map(([, , enforced]) => y.at(enforced)))
  const lines = curves.flatMap(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#000'
    const inside = points.filter(([tokens]) => tokens <= shown)
    const end = ends[index] ?? NOTHING
    const at = places[index] ?? 0
    return [
      line(
        inside.map(([tokens, suspicion]) => [x.at(tokens), y.at(suspicion)]),
        colour,
        '3 4',
      ),
      line(
        inside.map(([tokens, , enforced]) => [x.at(tokens), y.at(enforced)]),
        colour,
      ),
      `<path d="M${x.at(end[0]).toFixed(1)} ${y.at(end[2]).toFixed(1)}L${right + 12} ${at.toFixed(1)}" stroke="${colour}" stroke-opacity="0.35"/>`,
      text(right + 16, at + 4, name, 'start', colour),
    ]
  })
  const threshold = y.at(rules.threshold)
  return drawChart(frame, [
    line(
      [
        [left, threshold],
        [right, threshold],
      ],
      '#222',
      '6 4',
    ),
    text(right - 4, threshold - 6, `alarm at 10^${rules.threshold.toFixed(1)}`, 'end'),
    ...lines,
  ])
}

/** Moves labels apart, so that none covers another. */
function spread(places: readonly number[]): number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))
  const moved = [...places]
  let last = Number.NEGATIVE_INFINITY
  for (const index of order) {
    last = Math.max(moved[index] ?? 0, last + 16)
    moved[index] = last
  }
  return moved
}

/** Tokens until suspicion and alarm, median and p90, for every cheat. */
export function drawPower({ power }: EvidenceResults): string {
  const row = 20
  const box = [400, 46, 850, 46 + power.length * row + 8] as const
  const [left, top, right] = box
  const x = logScale([400, 30_000], [left, right], [500, 1000, 2000, 5000, 10_000, 20_000])
  const y = linearScale([0, 1], [0, 1], [])
  const title = 'Tokens until suspicion and until alarm for every cheat; the table has the same numbers.'
  const [suspicionColour, alarmColour] = [COLOURS[0], COLOURS[1]]
  const marks = power.flatMap(({ name, goal, suspicion, alarm }, index) => {
    const at = top + index * row + 14
    const mark = (found: typeof alarm, dy: number, colour: string) => {
      if (found.median === null) return []
      const [from, to] = [x.at(found.median), x.at(found.p90 ?? 30_000)]
      return [
        `<path d="M${from.toFixed(1)} ${at + dy}H${to.toFixed(1)}" stroke="${colour}" stroke-width="2"/>`,
        `<circle cx="${from.toFixed(1)}" cy="${at + dy}" r="4" fill="${colour}"/>`,
      ]
    }
    return [
      text(left - 10, at + 4, name, 'end'),
      ...(goal === undefined
        ? []
        : [`<path d="M${x.at(goal).toFixed(1)} ${at - 8}v16" stroke="#222" stroke-width="2"/>`]),
      ...mark(suspicion, -3, suspicionColour),
      ...mark(alarm, 3, alarmColour),
      ...(alarm.median === null ? [text(right - 2, at + 4, 'no alarm', 'end', alarmColour)] : []),
    ]
  })
  const legend = [
    text(left, 18, '● suspicion (calibration)', 'start', suspicionColour),
    text(left + 160, 18, '● alarm (other hardware granted)', 'start', alarmColour),
    text(left + 400, 18, '| goal', 'start'),
    text(left, 36, 'dot: median, line: to the 90th percentile', 'start', '#555'),
  ]
  const frame: Frame = {
    ...{ width: 870, height: box[3] + 50, x, y, box, title, yLabel: '', xLabel: 'tokens, logarithmic' },
  }
  return drawChart(frame, [...legend, ...marks])
}

/** How often honest miners reach a wealth within a month, against the bound. */
export function drawFalseAlarms({ honest, loose }: EvidenceResults): string {
  const box = [70, 40, 560, 330] as const
  const [left, top, right, bottom] = box
  const x = linearScale([0, 6], [left, right], [0, 1, 2, 3, 4, 5, 6], powerOfTen)
  const least = 1e-4
  const y = logScale([least, 1], [bottom, top], [1, 0.1, 0.01, 1e-3, 1e-4], String)
  const months = honest.reduce((sum, one) => sum + one.months.count, 0)
  const title = `Share of ${months} months of honest miners in which the evidence reached a value, and the bound that it must not exceed.`
  const measured = (level: 'suspicion' | 'enforced') =>
    honest[0]?.months[level]
      .map((_, step) => {
        const reached = honest.reduce((sum, one) => sum + (one.months[level][step] ?? 0), 0)
        return [step / 2, reached / months] as const
      })
      .filter(([, share]) => share > 0) ?? []
  const draw = (points: readonly (readonly [number, number])[], colour: string, dash = '') =>
    line(
      points.map(([wealth, share]) => [x.at(wealth), y.at(share)]),
      colour,
      dash,
    )
  const bound = Array.from({ length: 61 }, (_, index) => {
    const wealth = index / 10
    return [wealth, Math.min(1, loose.answersPerMonth / 10 ** wealth)] as const
  })
  const frame: Frame = {
    ...{ width: 780, height: 380, x, y, box, title },
    ...{
      xLabel: `evidence reached within ${loose.answersPerMonth} answers`,
      yLabel: 'share of honest miners',
    },
  }
  const legend = [
    ['bound N/A', '#222'],
    ['measured, suspicion', COLOURS[0]],
    ['measured, enforced', COLOURS[1]],
  ] as const
  return drawChart(frame, [
    draw(bound, '#222', '6 4'),
    draw(measured('suspicion'), COLOURS[0]),
    draw(measured('enforced'), COLOURS[1]),
    ...legend.map(([name, colour], index) => text(right + 16, top + 20 + 20 * index, name, 'start', colour)),
  ])
}
