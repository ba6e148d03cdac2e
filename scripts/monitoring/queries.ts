import type { Panel, Query, Row } from './panels.js'

/** The label selector of every query: the nodes that are chosen above the dashboard. */
export const NODE = 'instance=~"$instance"'
export const RANGE = '[$__rate_interval]'

export const rate = (metric: string, by: string, labels = '') =>
  `sum by (${by}) (rate(${metric}{${NODE}${labels}}${RANGE}))`

export const quantile = (share: number, metric: string, by = 'instance') =>
  `histogram_quantile(${share}, sum by (${by}, le) (rate(${metric}_bucket{${NODE}}${RANGE})))`

export function stat(
  title: string,
  unit: string,
  query: Query,
  bad: Panel['bad'],
  description: string,
): Panel {
  return { kind: 'stat', title, unit, queries: [query], description, ...(bad ? { bad } : {}) }
}

export function plot(title: string, unit: string, queries: readonly Query[], description: string): Panel {
  return { kind: 'timeseries', title, unit, queries, description }
}

export const processRow: Row = {
  title: 'Process',
  panels: [
    plot(
      'Memory',
      'bytes',
      [
        [`process_resident_memory_bytes{job="targon", ${NODE}}`, '{{instance}} resident'],
        [`nodejs_heap_size_used_bytes{job="targon", ${NODE}}`, '{{instance}} heap'],
      ],
      'Memory of the process.',
    ),
    plot(
      'Event loop delay',
      's',
      [[`nodejs_eventloop_lag_p99_seconds{job="targon", ${NODE}}`, '{{instance}}']],
      'The 99th percentile; from 0.5 s on, measured speeds suffer.',
    ),
    plot(
      'Processor',
      'percentunit',
      [[rate('process_cpu_seconds_total', 'instance', ', job="targon"'), '{{instance}}']],
      'Share of one core.',
    ),
    plot(
      'Open descriptors',
      'short',
      [[`process_open_fds{job="targon", ${NODE}}`, '{{instance}}']],
      'Files and connections.',
    ),
  ],
}
