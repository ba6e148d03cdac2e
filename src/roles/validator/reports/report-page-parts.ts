/** The colours of both schemes are variables, which the plots read when they are drawn. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2026;--quiet:#5c6570;--line:#d8dde3;--good:#1467c8;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e6e9ed;--quiet:#9aa4b0;--line:#333a43;--good:#6cb0ff;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:72rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:1.2rem 0 .3rem}h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.4rem 0 .8rem}a{color:var(--good)}.quiet,figcaption{color:var(--quiet)}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--quiet);font-weight:600}caption{color:var(--quiet);text-align:left;padding:.6rem 0 .2rem}tbody th{color:inherit;font-weight:400}.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:var(--bad)}
details.miner{border-top:1px solid var(--line);padding:.6rem 0;margin-top:1rem}figure details{margin:.4rem 0}summary{cursor:pointer;font-weight:600}
code{font-size:.9em;font-weight:400;overflow-wrap:anywhere}meter{width:7rem}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 24rem;min-width:0}
.n,tbody th,meter{white-space:nowrap}.u-legend{font-size:12px;margin-bottom:.6rem}.u-legend th,.u-legend td{border:0;padding:0 .2rem}
@media(max-width:40rem){body{padding:.75rem;font-size:14px}h1{font-size:1.25rem}th,td{padding:.25rem .4rem}meter{width:3rem}}
`

/** Runs in the browser: draws the plots of a miner when its details are open. */
export const PAGE_SCRIPT = `
'use strict'
const data = JSON.parse(document.getElementById('data').textContent)
const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()
const shown = []
const axis = (more) => ({ stroke: colour('quiet'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line'), width: 1 }, ...more })
const utc = (seconds) => new Date(seconds * 1000).toISOString()
const hourLabels = (_, places) => places.map((at) => (utc(at).slice(11, 16) === '00:00' ? utc(at).slice(5, 10) : utc(at).slice(11, 16)))
const fixed = (digits) => (_, value) => (value == null ? '–' : value.toFixed(digits))
const points = (more) => ({ paths: () => null, points: { show: true, size: 9, stroke: colour('bad'), fill: colour('bad') }, stroke: colour('bad'), ...more })
const kinds = {
  window: ({ window: results }) => ({
    values: [results.map((_, at) => at + 1), results, results.map((one) => (one === null ? 0 : null))],
    options: {
      scales: { x: { time: false, range: [0.4, 15.6] }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
      axes: [axis({ incrs: [1, 2, 5] }), axis({ label: 'tokens/s', labelSize: 18, size: 56 })],
      series: [
        { label: 'result' },
        { label: 'tokens/s', stroke: colour('good'), fill: colour('good'), paths: uPlot.paths.bars({ size: [0.6, 40] }), points: { show: false }, value: fixed(1) },
        points({ label: 'miss', value: (_, value) => (value == null ? '–' : 'miss') }),
      ],
    },
  }),
  trend: ({ trend }) => {
    const hours = trend.map(({ at }) => Date.parse(at) / 1000)
    // Not what uPlot would choose: it gives a single hour years.
    const range = () => [(hours[0] ?? 0) - 1800, (hours[hours.length - 1] ?? 0) + 1800]
    const from = (low, high) => [0, Math.max(1, high * 1.1)]
    return {
      values: [
        hours,
        trend.map((hour) => (hour.verified > 0 ? hour.meanTokensPerSecond : null)),
        trend.map(({ verified, failed }) => (verified + failed > 0 ? (100 * failed) / (verified + failed) : null)),
      ],
      options: {
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { x: { time: true, range }, y: { range: (_, low, high) => from(low, high) }, share: { range: [0, 105] } },
        axes: [axis({ values: hourLabels, incrs: [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720].map((count) => count * 3600) }), axis({ label: 'tokens/s', labelSize: 18, size: 56 }), axis({ scale: 'share', side: 1, label: '% failed', labelSize: 18, grid: { show: false } })],
        series: [
          { label: 'hour', value: (_, at) => (at == null ? '–' : utc(at).slice(0, 16).replace('T', ' ') + ' UTC') },
          { label: 'mean tokens/s', stroke: colour('good'), width: 2, spanGaps: false, points: { show: true, size: 6, stroke: colour('good'), fill: colour('good') }, value: fixed(1) },
          { label: '% failed', scale: 'share', stroke: colour('bad'), width: 1.5, dash: [5, 4], spanGaps: false, points: { show: true, size: 5, stroke: colour('bad'), fill: colour('bad') }, value: fixed(0) },
        ],
      },
    }
  },
  wealth: ({ evidence: { threshold, points } }) => {
    const times = points.map(({ at }) => Date.parse(at) / 1000)
    const line = (label, name, more) => ({ label, stroke: colour(name), width: 2, points: { show: points.length < 60, size: 5, stroke: colour(name), fill: colour(name) }, value: (_, value) => (value == null ? '–' : '10^' + value.toFixed(1)), ...more })
    return {
      values: [times, points.map(({ enforced }) => enforced), points.map(({ suspicion }) => suspicion), times.map(() => threshold)],
      options: {
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { x: { time: true, range: () => [(times[0] ?? 0) - 1800, (times[times.length - 1] ?? 0) + 1800] }, y: { range: (_, low, high) => [0, Math.max(threshold, high) + 1] } },
        axes: [axis({ values: hourLabels, incrs: [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720].map((count) => count * 3600) }), axis({ label: 'evidence', labelSize: 18, size: 64, incrs: [1, 2, 5, 10], values: (_, places) => places.map((place) => '10^' + place) })],
        series: [
          { label: 'time', value: (_, at) => (at == null ? '–' : utc(at).slice(0, 16).replace('T', ' ') + ' UTC') },
          line('beyond other hardware', 'bad'),
          line('beyond the own engine', 'good', { width: 1.5, dash: [5, 4] }),
          line('accuses', 'quiet', { width: 1, dash: [2, 3], points: { show: false } }),
        ],
      },
    }
  },
}
const widthOf = (figure) => Math.max(280, figure.clientWidth)
const draw = (figure) => {
  if (figure.dataset.drawn) return
  figure.dataset.drawn = 'yes'
  const [miner, model] = figure.dataset.place.split('/')
  const { values, options } = kinds[figure.dataset.plot](data[miner][model])
  shown.push([new uPlot({ width: widthOf(figure), height: 220, ...options }, values, figure), figure])
}
const drawOpen = (details) => { if (details.open) details.querySelectorAll('[data-plot]').forEach(draw) }
document.querySelectorAll('details.miner').forEach((details) => {
  drawOpen(details)
  details.addEventListener('toggle', () => drawOpen(details))
})
const openTarget = () => { const found = /^#m\\d+$/.test(location.hash) && document.querySelector(location.hash); if (found) found.open = true }
addEventListener('hashchange', openTarget)
openTarget()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => shown.forEach(([plot]) => plot.redraw()))
addEventListener('resize', () => shown.forEach(([plot, figure]) => plot.setSize({ width: widthOf(figure), height: 220 })))
`
