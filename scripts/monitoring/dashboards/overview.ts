import type { Dashboard } from '../panels.js'
import { NODE, plot, processRow, RANGE, stat } from '../queries.js'

export const overview: Dashboard = {
  uid: 'targon-overview',
  title: 'Targon: overview',
  description: 'Every node: whether it runs, is registered and has something to tell.',
  rows: [
    {
      title: 'Nodes',
      panels: [
        stat(
          'Up',
          'short',
          [`up{job="targon", ${NODE}}`, '{{role}} {{instance}}'],
          { below: 1 },
          '1 while Prometheus can scrape the node.',
        ),
        stat(
          'Registered',
          'short',
          [`targon_registered{${NODE}}`, '{{role}} {{instance}}'],
          { below: 1 },
          '1 while the hotkey is registered.',
        ),
        stat(
          'Alerts',
          'short',
          [
            `sum by (role, instance) (targon_alerts{${NODE}}) or 0 * sum by (role, instance) (targon_build_info{${NODE}})`,
            '{{role}} {{instance}}',
          ],
          { above: 1 },
          'Alerts that the node raises itself; its /status has the sentences.',
        ),
        stat(
          'Version',
          'short',
          [`sum by (role, version) (targon_build_info{${NODE}})`, '{{role}} {{version}}'],
          undefined,
          'Nodes by role and version.',
        ),
      ],
    },
    {
      title: 'Chain',
      panels: [
        plot(
          'Newest block',
          'short',
          [[`targon_chain_head_block{${NODE}}`, '{{instance}}']],
          'Lines that part show an endpoint that lags.',
        ),
        plot(
          'Clock offset',
          's',
          [[`targon_clock_offset_seconds{${NODE}}`, '{{instance}}']],
          '0 while the clock agrees with the chain.',
        ),
        plot(
          'Reconnections',
          'short',
          [[`increase(targon_chain_reconnects_total{${NODE}}${RANGE})`, '{{instance}}']],
          'Connections to the chain that were replaced.',
        ),
      ],
    },
    {
      title: 'Alerts and log',
      panels: [
        plot(
          'Alerts raised',
          'short',
          [[`sum by (instance, alert) (targon_alerts{${NODE}})`, '{{instance}} {{alert}}']],
          'By name; docs/monitoring.md describes each.',
        ),
        plot(
          'Alert messages',
          'short',
          [[`increase(targon_alert_messages_total{${NODE}}${RANGE})`, '{{instance}} {{result}}']],
          'Messages to the webhook, by result.',
        ),
        plot(
          'Log lines dropped',
          'short',
          [[`increase(targon_log_lines_dropped_total{${NODE}}${RANGE})`, '{{instance}}']],
          'Lines that could not be written.',
        ),
        plot(
          'Update checks',
          'short',
          [[`increase(targon_update_checks_total{${NODE}}${RANGE})`, '{{instance}} {{result}}']],
          'Checks for a newer release, by result.',
        ),
      ],
    },
    processRow,
  ],
}
