import type { Dashboard } from '../panels.js'
import { NODE, plot, processRow, quantile, rate, stat } from '../queries.js'

export const validator: Dashboard = {
  uid: 'targon-validator',
  title: 'Targon: validator',
  description: 'Verdicts, weights and speed of a validator.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Permit',
          'short',
          [`targon_validator_permit{${NODE}}`, '{{instance}}'],
          { below: 1 },
          '1 while the hotkey may set weights.',
        ),
        stat(
          'Age of the weights',
          'short',
          [`instance:targon_weights_age:epochs{${NODE}}`, '{{instance}}'],
          { above: 1.25 },
          'In epochs, by the chain.',
        ),
        stat(
          'Verified',
          'percentunit',
          [`instance:targon_validator_verified:ratio_rate30m{${NODE}}`, '{{instance}}'],
          undefined,
          'Share of the verdicts of the last 30 minutes.',
        ),
        stat(
          'Inconclusive',
          'percentunit',
          [`instance:targon_validator_inconclusive:ratio_rate30m{${NODE}}`, '{{instance}}'],
          { above: 0.5 },
          'Share of the verdicts of the last 30 minutes that this validator could not decide.',
        ),
      ],
    },
    {
      title: 'Verdicts',
      panels: [
        plot(
          'By cause',
          'reqps',
          [[rate('targon_validator_verdicts_total', 'cause'), '{{cause}}']],
          'docs/verification.md describes the causes.',
        ),
        plot(
          'By model',
          'reqps',
          [[rate('targon_validator_model_verdicts_total', 'model, outcome'), '{{model}} {{outcome}}']],
          'A model of which every answer fails points to its reference engine.',
        ),
        plot(
          'Inconclusive by reason',
          'reqps',
          [[rate('targon_validator_inconclusive_total', 'reason'), '{{reason}}']],
          'The fault of the validator: its engine, its machine, its network.',
        ),
      ],
    },
    {
      title: 'Weights',
      panels: [
        plot(
          'Age',
          'short',
          [
            [`instance:targon_weights_age:blocks{${NODE}}`, '{{instance}}'],
            [`targon_epoch_length_blocks{${NODE}}`, 'one epoch'],
          ],
          'Blocks since the chain took weights of this validator.',
        ),
        plot(
          'Attempts by result',
          'short',
          [[`sum by (result) (increase(targon_weights_attempts_total{${NODE}}[1h]))`, '{{result}}']],
          'Over the last hour.',
        ),
      ],
    },
    {
      title: 'Rounds',
      panels: [
        plot(
          'Speed of verified answers',
          'short',
          [
            [quantile(0.5, 'targon_validator_tokens_per_second'), '{{instance}} median'],
            [quantile(0.95, 'targon_validator_tokens_per_second'), '{{instance}} 95 %'],
          ],
          'Tokens per second.',
        ),
        plot(
          'Length of a round',
          's',
          [[quantile(0.95, 'targon_validator_round_duration_seconds'), '{{instance}} 95 %']],
          'From the first request to the last verdict.',
        ),
      ],
    },
    processRow,
  ],
}
