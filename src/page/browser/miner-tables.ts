import { DataTable } from './data-table.js'
import { byId } from './elements.js'
import { causes, clockTime, count, fixed, percent, shortKey } from './formats.js'
import type { CallerRow, MinerDocument, TrafficOfCaller, UpstreamRow } from './miner-documents.js'
import { type ModelRow, modelAdvice, modelRows } from './wanted-models.js'

interface RefusalRow {
  readonly code: string
  readonly times: number
}

const caller = {
  uid: { name: 'uid', isNumber: true, text: ({ uid }: { uid: number }) => String(uid) },
  hotkey: {
    name: 'hotkey',
    text: ({ hotkey }: { hotkey: string }) => shortKey(hotkey),
    title: ({ hotkey }: { hotkey: string }) => hotkey,
  },
}

function trafficTable(): DataTable<TrafficOfCaller> {
  const number = (name: string, value: (row: TrafficOfCaller) => number | undefined) => ({
    ...{ name, isNumber: true, order: value },
    text: (row: TrafficOfCaller) => {
      const found = value(row)
      return found === undefined ? '–' : count(found)
    },
  })
  return new DataTable(byId('traffic-table'), {
    caption: 'Requests by caller and model',
    columns: [
      { ...caller.uid, order: ({ uid }) => uid },
      caller.hotkey,
      { name: 'model', text: ({ model }) => model, order: ({ model }) => model },
      number('answered', ({ answered }) => answered),
      { ...number('failed', ({ failed }) => failed), tone: ({ failed }) => (failed > 0 ? 'bad' : undefined) },
      number('refused', ({ refused }) => refused),
      number('left', ({ abandoned }) => abandoned),
      number('first byte, ms (median)', ({ firstByteMs }) => firstByteMs?.p50),
      number('p95', ({ firstByteMs }) => firstByteMs?.p95),
    ],
    keyOf: ({ id }) => id,
    sort: { column: 'answered', isAscending: false },
    empty: 'No inference request has come yet.',
  })
}

function callerTable(): DataTable<CallerRow> {
  return new DataTable(byId('callers-table'), {
    caption: 'Who asks',
    columns: [
      { ...caller.uid, order: ({ uid }) => uid },
      caller.hotkey,
      ...[
        {
          ...{ name: 'requests', isNumber: true, order: ({ requests }: CallerRow) => requests },
          text: ({ requests }: CallerRow) => count(requests),
        },
        { name: 'in flight', isNumber: true, text: ({ inFlight }: CallerRow) => String(inFlight) },
      ],
      {
        ...{ name: 'last request, UTC', text: ({ lastAt }) => (lastAt ? clockTime(lastAt) : '–') },
        ...{ title: ({ lastAt }) => lastAt ?? undefined, order: ({ lastAt }) => lastAt ?? undefined },
      },
      { name: 'refusals', text: ({ refusals }) => causes(refusals ?? {}) || '–' },
    ],
    keyOf: ({ hotkey }) => hotkey,
    sort: { column: 'requests', isAscending: false },
    empty: 'No registered caller has asked yet.',
  })
}

function upstreamTable(): DataTable<UpstreamRow> {
  return new DataTable(byId('upstreams-table'), {
    caption: 'Model servers',
    columns: [
      { name: 'server', text: ({ url }) => url },
      {
        name: 'health',
        text: ({ health, breaker }) => (breaker === 'closed' ? health : `${health}, breaker ${breaker}`),
        tone: ({ health, breaker }) => (health === 'up' && breaker === 'closed' ? undefined : 'bad'),
      },
      { name: 'in flight', isNumber: true, text: (one) => `${one.inFlight}/${one.maxInFlight}` },
      { name: 'waiting', isNumber: true, text: ({ waiting }) => fixed(waiting, 0) },
      { name: 'tokens/s', isNumber: true, text: (one) => fixed(one.tokensPerSecond, 1) },
      { name: 'requests', isNumber: true, text: ({ requests }) => count(requests) },
      { name: 'failures', isNumber: true, text: ({ failures }) => count(failures) },
      { name: 'models', text: ({ reason, models }) => reason ?? models.join(', ') },
    ],
    keyOf: ({ url }) => url,
    empty: 'No model server is configured.',
  })
}

function modelTable(): DataTable<ModelRow> {
  return new DataTable(byId('models-table'), {
    caption: 'What validators want, and what is served',
    columns: [
      { name: 'model', text: ({ model }) => model },
      {
        ...{ name: 'wanted by', isNumber: true, text: ({ wantedBy }) => String(wantedBy.length) },
        title: ({ wantedBy }) => (wantedBy.length > 0 ? `uid ${wantedBy.join(', ')}` : undefined),
      },
      {
        ...{ name: 'served', text: modelAdvice },
        tone: ({ isServed }) => (isServed ? undefined : 'bad'),
      },
    ],
    keyOf: ({ model }) => model,
    empty: 'No model is served, and no validator has sent its list.',
  })
}

/** The tables of a miner's page. */
export class MinerTables {
  readonly #traffic = trafficTable()
  readonly #callers = callerTable()
  readonly #upstreams = upstreamTable()
  readonly #models = modelTable()
  readonly #refusals: DataTable<RefusalRow>
  #refused = 0

  constructor() {
    this.#refusals = new DataTable(byId('refusals-table'), {
      caption: 'Refusals by cause',
      columns: [
        { name: 'cause', text: ({ code }) => code },
        { name: 'times', isNumber: true, text: ({ times }) => count(times), order: ({ times }) => times },
        { name: 'share', isNumber: true, text: ({ times }) => percent(times, this.#refused) },
      ],
      keyOf: ({ code }) => code,
      sort: { column: 'times', isAscending: false },
      empty: 'Nothing was refused.',
    })
  }

  update(document: MinerDocument): void {
    this.#traffic.update(document.traffic ?? [])
    this.#callers.update(document.callers)
    this.#upstreams.update(document.upstreams)
    this.#models.update(modelRows(document))
    const refusals = Object.entries(document.refusals ?? {}).map(([code, times]) => ({ code, times }))
    this.#refused = refusals.reduce((sum, { times }) => sum + times, 0)
    this.#refusals.update(refusals)
  }
}
