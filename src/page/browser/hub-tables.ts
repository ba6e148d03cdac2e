import { type Column, DataTable } from './data-table.js'
import { byId } from './elements.js'
import { clockTime, count, fixed, percent, shortKey } from './formats.js'
import type { HubDocument, KeyRow, ModelTraffic, ReportRow } from './hub-documents.js'
import { leftOf, ofLimit, type RoutedRow, routedRows, routedState, shareText } from './hub-rows.js'

interface ErrorRow {
  readonly code: string
  readonly times: number
}

function number<Row>(name: string, value: (row: Row) => number | null | undefined, digits = 0): Column<Row> {
  return {
    ...{ name, isNumber: true, order: (row) => value(row) ?? undefined },
    text: (row) => {
      const found = value(row)
      return digits === 0 && typeof found === 'number' ? count(found) : fixed(found, digits)
    },
  }
}

function hotkey<Row extends { readonly hotkey: string }>(): Column<Row> {
  return { name: 'hotkey', text: (row) => shortKey(row.hotkey), title: (row) => row.hotkey }
}

function trafficTable(): DataTable<ModelTraffic> {
  return new DataTable(byId('traffic-table'), {
    caption: 'Requests by model',
    columns: [
      { name: 'model', text: ({ model }) => model, order: ({ model }) => model },
      number('answered', ({ answered }) => answered),
      {
        ...number<ModelTraffic>('failed', ({ failed }) => failed),
        tone: ({ failed }) => (failed > 0 ? 'bad' : undefined),
      },
      number('refused', ({ refused }) => refused),
      number('left', ({ left }) => left),
      number('taken over', ({ failovers }) => failovers),
      number('hedged', ({ hedges }) => hedges),
      number('first token, ms (median)', ({ firstTokenMs }) => firstTokenMs?.p50),
      number('p95', ({ firstTokenMs }) => firstTokenMs?.p95),
      number('tokens/s (median)', ({ tokensPerSecond }) => tokensPerSecond?.p50, 1),
      number('tokens', ({ promptTokens, tokens }) => promptTokens + tokens),
    ],
    keyOf: ({ model }) => model,
    sort: { column: 'answered', isAscending: false },
    empty: 'No user has asked for a model yet.',
  })
}

function minerTable(): DataTable<RoutedRow> {
  return new DataTable(byId('miners-table'), {
    caption: 'Miners by model',
    columns: [
      number('uid', ({ uid }) => uid),
      hotkey(),
      {
        ...{ name: 'model', text: ({ routed }) => routed?.model ?? '–' },
        // a cell with a title is not wrapped
        ...{ title: ({ routed }) => routed?.model, order: ({ routed }) => routed?.model },
      },
      {
        ...{ name: 'share', isNumber: true, text: ({ routed }) => shareText(routed?.share) },
        order: ({ routed }) => routed?.share,
      },
      number('quality', ({ routed }) => routed?.quality, 2),
      {
        ...{ name: 'verified', isNumber: true, text: ({ routed }) => shareText(routed?.verified) },
        order: ({ routed }) => routed?.verified ?? undefined,
        tone: ({ routed }) => ((routed?.verified ?? 1) < 0.9 ? 'bad' : undefined),
      },
      number('tokens/s', ({ routed }) => routed?.tokensPerSecond, 1),
      number('first token, ms', ({ routed }) => routed?.firstTokenMs),
      number('in flight', ({ inFlight }) => inFlight),
      number('answered', ({ answered }) => answered),
      number('failed', ({ failed }) => failed),
      {
        ...{ name: 'state', text: routedState, title: routedState },
        tone: ({ breaker, silent }) => (breaker === 'closed' && silent === null ? undefined : 'bad'),
      },
    ],
    keyOf: ({ id }) => id,
    sort: { column: 'share', isAscending: false },
    empty: 'No miner has an address that may be asked.',
  })
}

function keyTable(): DataTable<KeyRow> {
  return new DataTable(byId('keys-table'), {
    caption: 'What the keys have used',
    columns: [
      { name: 'key', text: ({ name }) => name, order: ({ name }) => name },
      { name: 'id', text: ({ id }) => id },
      {
        ...{ name: 'tokens today', isNumber: true, order: ({ tokensToday }) => tokensToday },
        text: ({ tokensToday, tokensPerDay }) => ofLimit(tokensToday, tokensPerDay),
      },
      {
        ...{ name: 'tokens in all', isNumber: true, order: ({ spentTokens }) => spentTokens },
        text: ({ spentTokens, budgetTokens }) => ofLimit(spentTokens, budgetTokens),
      },
      {
        ...{ name: 'left', isNumber: true, text: (row) => shareText(leftOf(row)), order: leftOf },
        tone: (row) => ((leftOf(row) ?? 1) < 0.1 ? 'bad' : undefined),
      },
    ],
    keyOf: ({ id }) => id,
    sort: { column: 'tokens today', isAscending: false },
    empty: 'There is no key, or the database has not answered yet.',
  })
}

function reportTable(): DataTable<ReportRow> {
  return new DataTable(byId('reports-table'), {
    caption: 'Verdicts that validators reported',
    columns: [
      { name: 'uid', isNumber: true, text: ({ uid }) => (uid === null ? '–' : String(uid)) },
      hotkey(),
      {
        ...{ name: 'last report, UTC', text: ({ at }) => clockTime(at), title: ({ at }) => at },
        order: ({ at }) => at,
      },
      number('verified', ({ verified }) => verified),
      number('failed', ({ failed }) => failed),
      {
        ...{ name: 'share verified', isNumber: true },
        text: ({ verified, failed }) => percent(verified, verified + failed),
      },
    ],
    keyOf: (row) => row.hotkey,
    sort: { column: 'last report, UTC', isAscending: false },
    empty: 'No validator has reported since the hub started.',
  })
}

function errorTable(): DataTable<ErrorRow> {
  return new DataTable(byId('errors-table'), {
    caption: 'Errors by code',
    columns: [{ name: 'code', text: ({ code }) => code }, number('times', ({ times }) => times)],
    keyOf: ({ code }) => code,
    sort: { column: 'times', isAscending: false },
    empty: 'No user was sent an error.',
  })
}

/** The tables of a hub's page. */
export class HubTables {
  readonly #traffic = trafficTable()
  readonly #miners = minerTable()
  readonly #keys = keyTable()
  readonly #reports = reportTable()
  readonly #errors = errorTable()

  update({ traffic, miners, keys, reports, errors }: HubDocument): void {
    this.#traffic.update(traffic)
    this.#miners.update(routedRows(miners))
    this.#keys.update(keys)
    this.#reports.update(reports)
    this.#errors.update(Object.entries(errors).map(([code, times]) => ({ code, times })))
  }
}
