import type { Dashboard } from '../panels.js'
import { NODE, plot, processRow, quantile, RANGE, rate, stat } from '../queries.js'

export const hub: Dashboard = {
  uid: 'targon-hub',
  title: 'Targon: hub',
  description:
    'What users of a hub ask and get, which miners answer, what keys use, and what validators report.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'In flight',
          'short',
          [`targon_hub_in_flight{${NODE}}`, '{{instance}}'],
          undefined,
          'Requests of users being answered.',
        ),
        stat(
          'Failed',
          'percentunit',
          [`instance:targon_hub_failed:ratio_rate5m{${NODE}}`, '{{instance}}'],
          { above: 0.1 },
          'Requests that the hub and its miners could not answer, of those that were not refused, over 5 minutes.',
        ),
        stat(
          'Models',
          'short',
          [`targon_hub_models{${NODE}}`, '{{instance}}'],
          { below: 1 },
          'Models that miners serve.',
        ),
        stat(
          'Miners',
          'short',
          [`targon_hub_miners{${NODE}}`, '{{instance}}'],
          { below: 1 },
          'Miners that serve a model.',
        ),
        stat(
          'Database of the keys',
          'short',
          [`targon_hub_accounts_usable{${NODE}}`, '{{instance}}'],
          { below: 1 },
          '1 while it answers; requests are refused while it does not.',
        ),
        stat(
          'Verified',
          'percentunit',
          [`instance:targon_hub_verified:ratio_rate6h{${NODE}}`, '{{instance}}'],
          { below: 0.8 },
          'Answers that validators verified, of those that they reported in the last 6 hours.',
        ),
      ],
    },
    {
      title: 'Requests',
      panels: [
        plot(
          'By outcome',
          'reqps',
          [[rate('targon_hub_requests_total', 'outcome'), '{{outcome}}']],
          'refused: the user or a limit is at fault; failed: the hub or its miners are; left: the user left.',
        ),
        plot(
          'By route',
          'reqps',
          [[rate('targon_hub_requests_total', 'route'), '{{route}}']],
          'Paths of the API.',
        ),
        plot(
          'By model',
          'reqps',
          [[rate('targon_hub_model_requests_total', 'model, outcome'), '{{model}} {{outcome}}']],
          'The first hundred models that were asked for; all others are "other".',
        ),
        plot(
          'Errors by code',
          'reqps',
          [[rate('targon_hub_errors_total', 'code'), '{{code}}']],
          'Codes of docs/hub.md.',
        ),
      ],
    },
    {
      title: 'Speed',
      panels: [
        plot(
          'Time to first token',
          's',
          [
            [quantile(0.5, 'targon_hub_first_token_seconds', 'model'), '{{model}} median'],
            [quantile(0.95, 'targon_hub_first_token_seconds', 'model'), '{{model}} 95 %'],
          ],
          'From the user’s request on, with miners that failed before.',
        ),
        plot(
          'Tokens per second of an answer',
          'short',
          [
            [quantile(0.5, 'targon_hub_tokens_per_second', 'model'), '{{model}} median'],
            [quantile(0.05, 'targon_hub_tokens_per_second', 'model'), '{{model}} slowest 5 %'],
          ],
          'From its first token to its last.',
        ),
        plot(
          'Tokens',
          'short',
          [[rate('targon_hub_model_tokens_total', 'model, kind'), '{{model}} {{kind}}']],
          'Tokens charged per second, by model and kind.',
        ),
      ],
    },
    {
      title: 'Miners',
      panels: [
        plot(
          'Miners asked per request',
          'short',
          [
            [
              `sum by (model) (rate(targon_hub_attempts_sum{${NODE}}${RANGE})) / sum by (model) (rate(targon_hub_attempts_count{${NODE}}${RANGE}))`,
              '{{model}}',
            ],
          ],
          '1 while the first miner answers.',
        ),
        plot(
          'Further miners asked',
          'reqps',
          [[rate('targon_hub_further_miners_total', 'model, reason'), '{{model}} {{reason}}']],
          'Because the one before had failed, or was slow.',
        ),
        plot(
          'Miners that serve, and those left out',
          'short',
          [
            [`targon_hub_miners{${NODE}}`, '{{instance}} serve'],
            [`targon_hub_miners_left_out{${NODE}}`, '{{instance}} left out'],
          ],
          'A miner that fails several times in a row is left out for a while.',
        ),
      ],
    },
    {
      title: 'Keys',
      panels: [
        {
          kind: 'bargauge',
          title: 'Tokens by key',
          unit: 'short',
          queries: [
            [`topk(20, sum by (key) (increase(targon_hub_key_tokens_total{${NODE}}[$__range])))`, '{{key}}'],
          ],
          description:
            'The twenty keys that used most in the time shown. Ids are those of targon hub keys list.',
        },
        plot(
          'Tokens per second by key',
          'short',
          [[`topk(10, ${rate('targon_hub_key_tokens_total', 'key')})`, '{{key}}']],
          'The first 200 keys that asked since the start; all others are "other".',
        ),
        plot(
          'Requests by key',
          'reqps',
          [[`topk(10, ${rate('targon_hub_key_requests_total', 'key')})`, '{{key}}']],
          'The ten with most.',
        ),
      ],
    },
    {
      title: 'For validators',
      panels: [
        plot(
          'Kept',
          'short',
          [
            [`targon_hub_records{${NODE}}`, '{{instance}} kept'],
            [`targon_hub_bucket_rows{${NODE}}`, '{{instance}} in the bucket'],
            [`targon_hub_records_dropped{${NODE}}`, '{{instance}} dropped since the start'],
          ],
          'Requests with their answers; validators are handed a bucket of them.',
        ),
        plot(
          'Reported verdicts',
          'short',
          [[rate('targon_hub_verdicts_total', 'result'), '{{result}}']],
          'Verdicts of validators per second.',
        ),
      ],
    },
    processRow,
  ],
}
