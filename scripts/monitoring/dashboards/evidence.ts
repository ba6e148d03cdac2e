import type { Dashboard } from '../panels.js'
import { NODE, plot, stat } from '../queries.js'

export const evidence: Dashboard = {
  uid: 'targon-evidence',
  title: 'Targon: evidence',
  description: 'What the answers of miners, taken together, show. targon validator report names the miners.',
  rows: [
    {
      title: 'Now',
      panels: [
        stat(
          'Accused',
          'short',
          [`targon_validator_evidence_pairs{${NODE}, standing="barred"}`, '{{instance}}'],
          { above: 1 },
          'Miners and models that evidence scores 0, if it is enforced.',
        ),
        stat(
          'Suspected',
          'short',
          [`targon_validator_evidence_pairs{${NODE}, standing="suspected"}`, '{{instance}}'],
          undefined,
          'Miners and models that differ by more than the engine from itself.',
        ),
        stat(
          'Clean',
          'short',
          [`targon_validator_evidence_pairs{${NODE}, standing="clean"}`, '{{instance}}'],
          undefined,
          'Miners and models that fit.',
        ),
        stat(
          'Threshold',
          'short',
          [`targon_validator_evidence_threshold{${NODE}}`, '{{instance}}'],
          undefined,
          'Decimal logarithm of the evidence that accuses.',
        ),
      ],
    },
    {
      title: 'Course',
      panels: [
        plot(
          'Miners and models',
          'short',
          [[`sum by (standing) (targon_validator_evidence_pairs{${NODE}})`, '{{standing}}']],
          'By what the evidence says of them.',
        ),
        plot(
          'Accusations',
          'short',
          [
            [
              `sum by (statistic) (increase(targon_validator_evidence_alarms_total{${NODE}}[1h]))`,
              '{{statistic}}',
            ],
          ],
          'By the statistic that led, over the last hour; docs/evidence.md describes them.',
        ),
        plot(
          'Share accused',
          'percentunit',
          [
            [
              `sum by (instance) (targon_validator_evidence_pairs{${NODE}, standing="barred"}) / (sum by (instance) (targon_validator_evidence_pairs{${NODE}}) > 0)`,
              '{{instance}}',
            ],
          ],
          'More than a quarter points to the engine of this validator.',
        ),
      ],
    },
  ],
}
