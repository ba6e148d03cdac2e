import { AlertList } from './alerts.js'
import { followLive } from './connection.js'
import { readDocument } from './documents.js'
import { byId, setText } from './elements.js'
import { type Figure, Figures } from './figures.js'
import { count, duration } from './formats.js'
import type { HubDocument, HubSample, HubSeriesDocument } from './hub-documents.js'
import { lastMinute, organicsText, otherKeysText } from './hub-rows.js'
import { HubTables } from './hub-tables.js'
import { Plot } from './plots.js'

const figures = new Figures(byId('figures'))
const alerts = new AlertList()
const tables = new HubTables()
const place = byId('plots')
const requests = new Plot(place, {
  caption: 'Requests of users',
  unit: 'per minute',
  series: [
    { label: 'ended per minute', tone: 'good', kind: 'line', digits: 0 },
    { label: 'failed per minute', tone: 'bad', kind: 'dashes', digits: 0 },
  ],
})
const firstToken = new Plot(place, {
  caption: 'Time from a request to its first token',
  unit: 'ms',
  series: [{ label: 'median, ms', tone: 'good', kind: 'line', digits: 0, joinsGaps: true }],
})
const speed = new Plot(place, {
  caption: 'Tokens per second of all answers together',
  unit: 'tokens/s',
  series: [{ label: 'tokens/s', tone: 'good', kind: 'line', digits: 1 }],
})
const further = new Plot(place, {
  caption: 'Miners asked after the first of a request',
  unit: 'per minute',
  series: [
    { label: 'it had failed', tone: 'bad', kind: 'line', digits: 0 },
    { label: 'it was slow', tone: 'good', kind: 'dashes', digits: 0 },
  ],
})
let shown: HubDocument | undefined
let past: HubSeriesDocument = { intervalMs: 5000, samples: [] }
let plotted: readonly HubSample[] | undefined

followLive(({ status, series }) => {
  const document = readDocument<HubDocument>(status)
  if (!document) return
  shown = document
  past = readDocument<HubSeriesDocument>(series) ?? past
  setText(byId('title'), document.uid === null ? 'Hub, not registered' : `Hub uid ${document.uid}`)
  setText(byId('identity'), document.hotkey)
  setText(byId('unavailable'), document.unavailable ? `It cannot serve now: ${document.unavailable}.` : '')
  setText(byId('other-keys'), otherKeysText(document.otherKeys))
  alerts.update(document.alerts)
  tables.update(document)
  tick()
  if (past.samples !== plotted) plot(past)
}, byId('connection'))

// Ages grow without events.
setInterval(tick, 1000)

function tick(): void {
  if (!shown) return
  figures.update(figuresOf(shown))
  setText(byId('organics'), organicsText(shown, Date.now()))
}

function plot({ samples, intervalMs }: HubSeriesDocument): void {
  plotted = samples
  const times = samples.map(({ at }) => Date.parse(at))
  const perMinute = (of: (sample: HubSample) => number) =>
    samples.map((sample) => (60_000 * of(sample)) / intervalMs)
  requests.update(times, [perMinute((one) => one.requests), perMinute((one) => one.failed)])
  firstToken.update(times, [samples.map((one) => one.firstTokenMs)])
  speed.update(times, [samples.map((one) => one.tokensPerSecond)])
  further.update(times, [perMinute((one) => one.failovers), perMinute((one) => one.hedges)])
}

function figuresOf(document: HubDocument): readonly Figure[] {
  const { block, url, inFlight, requests: ended, asked, miners, models, startedAt } = document
  const minute = lastMinute(past.samples, past.intervalMs)
  const serving = miners.filter(({ routing }) => routing.length > 0)
  const leftOut = serving.filter(({ breaker }) => breaker !== 'closed').length
  return [
    { name: 'block', value: count(block) },
    { name: 'API', value: url },
    {
      name: 'state',
      value: document.isDraining ? 'draining' : document.unavailable ? 'cannot serve' : 'serving',
    },
    { name: 'in flight', value: count(inFlight) },
    { name: 'requests per minute', value: minute ? count(minute.requests) : '–' },
    { name: 'answered', value: count(ended.answered) },
    { name: 'failed', value: count(ended.failed), tone: ended.failed > 0 ? 'bad' : undefined },
    { name: 'refused', value: count(ended.refused) },
    { name: 'users disconnected', value: count(ended.left) },
    { name: 'miners asked', value: count(asked.attempts) },
    { name: 'taken over after a failure', value: count(asked.failovers) },
    { name: 'asked beside a slow one', value: count(asked.hedges) },
    { name: 'models', value: count(models.length), tone: models.length === 0 ? 'bad' : undefined },
    {
      name: 'miners that serve',
      value: count(serving.length),
      tone: serving.length === 0 ? 'bad' : undefined,
    },
    { name: 'left out after failures', value: count(leftOut), tone: leftOut > 0 ? 'bad' : undefined },
    { name: 'running for', value: duration(Date.now() - Date.parse(startedAt)) },
  ]
}
