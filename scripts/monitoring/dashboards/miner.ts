import type { Dashboard } from '../panels.js'
import { NODE, plot, processRow, quantile, rate, stat } from '../queries.js'

export const miner: Dashboard = {
  uid: 'targon-miner',
  title: 'Targon: miner',
  description: 'Who asks a miner, how fast it answers, and its model servers.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Incentive',
          'percentunit',
          [`targon_miner_incentive_ratio{${NODE}}`, '{{instance}}'],
          undefined,
          'Share of the subnet that this miner earns.',
        ),
        stat(
          'In flight',
          'short',
          [`targon_miner_in_flight{${NODE}}`, '{{instance}}'],
          undefined,
          'Requests being answered.',
        ),
        stat(
          'Model servers up',
          'percentunit',
          [`avg by (instance) (targon_miner_upstream_healthy{${NODE}})`, '{{instance}}'],
          { below: 1 },
          'Share of the model servers that accept requests.',
        ),
        stat(
          'Failed',
          'percentunit',
          [`instance:targon_miner_failed:ratio_rate5m{${NODE}}`, '{{instance}}'],
          { above: 0.1 },
          'Admitted requests that were not answered, over 5 minutes.',
        ),
      ],
    },
    {
      title: 'Requests',
      panels: [
        plot(
          'By outcome',
          'reqps',
          [[rate('targon_miner_requests_total', 'outcome'), '{{outcome}}']],
          'Every request to the public port.',
        ),
        plot(
          'By route',
          'reqps',
          [[rate('targon_miner_requests_total', 'route'), '{{route}}']],
          'chat and completion are inference; models and wanted come from validators.',
        ),
        plot(
          'By model',
          'reqps',
          [[rate('targon_miner_model_requests_total', 'model, outcome'), '{{model}} {{outcome}}']],
          'Whether the model servers answered.',
        ),
        plot(
          'Refusals by cause',
          'reqps',
          [[rate('targon_epistula_rejections_total', 'reason'), '{{reason}}']],
          'Codes of docs/errors.md.',
        ),
      ],
    },
    {
      title: 'Speed',
      panels: [
        plot(
          'Time to first byte',
          's',
          [
            [quantile(0.5, 'targon_miner_first_byte_seconds'), '{{instance}} median'],
            [quantile(0.95, 'targon_miner_first_byte_seconds'), '{{instance}} 95 %'],
          ],
          'From sending a request to a model server; validators give up after their --miner-timeout.',
        ),
        plot(
          'Time to last byte',
          's',
          [
            [quantile(0.5, 'targon_miner_upstream_duration_seconds'), '{{instance}} median'],
            [quantile(0.95, 'targon_miner_upstream_duration_seconds'), '{{instance}} 95 %'],
          ],
          'Scores are tokens per second over this time.',
        ),
      ],
    },
    {
      title: 'Model servers',
      panels: [
        plot(
          'Up',
          'short',
          [[`targon_miner_upstream_healthy{${NODE}}`, '{{upstream}}']],
          '1 while the server accepts requests.',
        ),
        plot(
          'In flight',
          'short',
          [[`targon_miner_upstream_in_flight{${NODE}}`, '{{upstream}}']],
          'Requests at each server.',
        ),
      ],
    },
    processRow,
  ],
}
