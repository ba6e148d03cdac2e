import { AlertList } from './alerts.js'
import { followLive } from './connection.js'
import { readDocument } from './documents.js'
import { byId, setText } from './elements.js'
import { type Figure, Figures } from './figures.js'
import { count, duration, fixed } from './formats.js'
import type { MinerDocument, Sample, SeriesDocument } from './miner-documents.js'
import { MinerTables } from './miner-tables.js'
import { Plot } from './plots.js'

const figures = new Figures(byId('figures'))
const alerts = new AlertList()
const tables = new MinerTables()
const place = byId('plots')
const requests = new Plot(place, {
  caption: 'Requests',
  unit: 'per second',
  series: [
    { label: 'ended per second', tone: 'good', kind: 'line', digits: 2 },
    { label: 'failed per second', tone: 'bad', kind: 'dashes', digits: 2 },
  ],
})
const firstByte = new Plot(place, {
  caption: 'Time to first byte, from the request to the model server',
  unit: 'ms',
  series: [{ label: 'median, ms', tone: 'good', kind: 'line', digits: 0, joinsGaps: true }],
})
const speed = new Plot(place, {
  caption: 'Tokens per second of the model servers',
  unit: 'tokens/s',
  series: [{ label: 'tokens/s', tone: 'good', kind: 'line', digits: 1 }],
})
let shown: MinerDocument | undefined
let plotted: readonly Sample[] | undefined

followLive(({ status, series }) => {
  const document = readDocument<MinerDocument>(status)
  if (!document) return
  shown = document
  setText(byId('title'), document.uid === null ? 'Miner, not registered' : `Miner uid ${document.uid}`)
  setText(byId('identity'), document.hotkey)
  setText(byId('unavailable'), document.unavailable ? `It cannot serve now: ${document.unavailable}.` : '')
  figures.update(figuresOf(document))
  alerts.update(document.alerts)
  tables.update(document)
  const past = readDocument<SeriesDocument>(series)
  if (past && past.samples !== plotted) plot(past)
}, byId('connection'))

// Its age grows without events.
setInterval(() => shown && figures.update(figuresOf(shown)), 1000)

function plot({ samples, intervalMs }: SeriesDocument): void {
  plotted = samples
  const times = samples.map(({ at }) => Date.parse(at))
  const perSecond = (value: number) => (1000 * value) / intervalMs
  requests.update(times, [
    samples.map((one) => perSecond(one.requests)),
    samples.map((one) => perSecond(one.failed)),
  ])
  firstByte.update(times, [samples.map((one) => one.firstByteMs)])
  speed.update(times, [samples.map((one) => one.tokensPerSecond)])
}

function figuresOf(document: MinerDocument): readonly Figure[] {
  const { address, port, block, inFlight, requests: ended, upstreams, standing, startedAt } = document
  const up = upstreams.filter(({ health }) => health === 'up').length
  return [
    { name: 'block', value: count(block) },
    { name: 'listens on', value: `${address}:${port}` },
    {
      name: 'state',
      value: document.isDraining ? 'draining' : document.unavailable ? 'cannot serve' : 'serving',
    },
    { name: 'in flight', value: count(inFlight) },
    { name: 'answered', value: count(ended.answered) },
    { name: 'failed', value: count(ended.failed), tone: ended.failed > 0 ? 'bad' : undefined },
    { name: 'refused', value: count(ended.refused) },
    { name: 'callers left', value: count(ended.abandoned) },
    {
      name: 'model servers up',
      value: `${up} of ${upstreams.length}`,
      tone: up < upstreams.length || up === 0 ? 'bad' : undefined,
    },
    ...(standing ? [{ name: 'incentive', value: fixed(standing.incentive, 4) }] : []),
    ...(startedAt ? [{ name: 'running for', value: duration(Date.now() - Date.parse(startedAt)) }] : []),
  ]
}
