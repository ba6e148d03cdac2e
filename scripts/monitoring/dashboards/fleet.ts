import type { Dashboard } from '../panels.js'
import { NODE, plot, quantile, rate, stat } from '../queries.js'

export const fleet: Dashboard = {
  uid: 'targon-fleet',
  title: 'Targon: engines of a validator',
  description: 'The reference engines that verify answers.',
  rows: [
    {
      title: 'Engines',
      panels: [
        stat(
          'Ready',
          'short',
          [`targon_validator_engine_ready{${NODE}}`, '{{model}}'],
          { below: 1 },
          '1 while the engine of the model accepts calls; /status says why not.',
        ),
        stat(
          'Models with an engine',
          'percentunit',
          [`instance:targon_validator_engines_ready:ratio{${NODE}}`, '{{instance}}'],
          { below: 1 },
          'Share of the wanted models.',
        ),
      ],
    },
    {
      title: 'Verification',
      panels: [
        plot(
          'Ready',
          'short',
          [[`targon_validator_engine_ready{${NODE}}`, '{{model}}']],
          '1 while the engine of the model accepts calls.',
        ),
        plot(
          'Time to verify an answer',
          's',
          [
            [quantile(0.5, 'targon_validator_verification_duration_seconds', 'model'), '{{model}} median'],
            [quantile(0.95, 'targon_validator_verification_duration_seconds', 'model'), '{{model}} 95 %'],
          ],
          'Longer than a round means that the engine is too slow.',
        ),
        plot(
          'Answers verified',
          'reqps',
          [[rate('targon_validator_verification_duration_seconds_count', 'model'), '{{model}}']],
          'Answers that the engines compared.',
        ),
      ],
    },
    {
      title: 'Answers of miners (--metrics.genai)',
      panels: [
        plot(
          'Time to first token',
          's',
          [
            [
              quantile(0.95, 'gen_ai_client_operation_time_to_first_chunk_seconds', 'gen_ai_request_model'),
              '{{gen_ai_request_model}} 95 %',
            ],
          ],
          'As this validator measures it.',
        ),
        plot(
          'Length of an answer',
          's',
          [
            [
              quantile(0.95, 'gen_ai_client_operation_duration_seconds', 'gen_ai_request_model'),
              '{{gen_ai_request_model}} 95 %',
            ],
          ],
          'From the request to the last token.',
        ),
        plot(
          'Tokens',
          'short',
          [[rate('gen_ai_client_token_usage_sum', 'gen_ai_request_model'), '{{gen_ai_request_model}}']],
          'Tokens of answers per second.',
        ),
      ],
    },
  ],
}
