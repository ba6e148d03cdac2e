/** A query of a panel, with the text that names its series. */
export type Query = readonly [expression: string, legend: string]

export interface Panel {
  readonly title: string
  /** What it tells, and from where on it is bad. */
  readonly description: string
  readonly kind: 'stat' | 'timeseries' | 'bargauge'
  /** A unit of Grafana. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Values from which a stat turns orange and red; a single one turns red below 1. */
  readonly bad?: { readonly below?: number; readonly above?: number }
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly rows: readonly Row[]
}

const COLUMNS = 24
const SOURCE = { type: 'prometheus', uid: '$datasource' }

/** The JSON model of Grafana (schema 39) of a dashboard with the variables `datasource` and `instance`. */
export function renderDashboard({ uid, title, description, rows }: Dashboard): string {
  const panels: object[] = []
  let y = 0
  let id = 0
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: COLUMNS, x: 0, y },
    })
    y++
    const height = row.panels.every(({ kind }) => kind === 'stat') ? 4 : 8
    const width = Math.floor(COLUMNS / row.panels.length)
    for (const [index, panel] of row.panels.entries())
      panels.push(renderPanel(panel, ++id, { h: height, w: width, x: index * width, y }))
    y += height
  }
  const model = {
    uid,
    title,
    description,
    tags: ['targon'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        tags: ['targon'],
        title: 'Targon',
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: variables() },
    panels,
  }
  return `${JSON.stringify(model, null, 2)}\n`
}

function variables(): object[] {
  return [
    { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source', hide: 0 },
    {
      ...{ name: 'instance', type: 'query', label: 'Node', hide: 0, refresh: 2, sort: 1 },
      ...{ multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } },
      datasource: SOURCE,
      query: { query: 'label_values(targon_build_info, instance)', refId: 'instance' },
      definition: 'label_values(targon_build_info, instance)',
    },
  ]
}

function renderPanel(
  { title, description, kind, unit, queries, bad }: Panel,
  id: number,
  gridPos: object,
): object {
  return {
    ...{ id, type: kind, title, description, gridPos, datasource: SOURCE },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      expr,
      legendFormat,
      ...(kind === 'timeseries' ? {} : { instant: true }),
    })),
    fieldConfig: { defaults: { unit, min: 0, thresholds: thresholdsOf(bad) }, overrides: [] },
    options: optionsOf(kind),
  }
}

function thresholdsOf(bad: Panel['bad']): object {
  if (bad?.below !== undefined)
    return {
      mode: 'absolute',
      steps: [
        { color: 'red', value: null },
        { color: 'green', value: bad.below },
      ],
    }
  const steps = [{ color: 'green', value: null as number | null }]
  if (bad?.above !== undefined) steps.push({ color: 'red', value: bad.above })
  return { mode: 'absolute', steps }
}

function optionsOf(kind: Panel['kind']): object {
  if (kind === 'timeseries')
    return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } }
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false }
  return kind === 'stat'
    ? { reduceOptions, colorMode: 'background', graphMode: 'none', textMode: 'auto' }
    : { reduceOptions, orientation: 'horizontal', displayMode: 'gradient' }
}
