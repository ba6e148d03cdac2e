import { join } from 'node:path'
import { type Alerts, type Condition, machineConditions, startAlerts } from '../alerts/index.js'
import type { AlertSettings, NodeSettings } from '../config/index.js'
import { packageVersion } from '../kernel/index.js'
import type { NeuronMetrics } from '../telemetry/index.js'
import { type ChainView, chainConditions } from './chain-conditions.js'
import type { RoleDeps, ServerRole } from './role.js'
import { updateConditions } from './update-conditions.js'

/** What the alerts of a node are made of. */
export interface NeuronAlertParts {
  readonly role: ServerRole
  readonly settings: AlertSettings & Pick<NodeSettings, 'netuid' | 'neuron.name'>
  readonly deps: RoleDeps & { readonly subtensor: ChainView; readonly signer: { readonly address: string } }
  readonly metrics: Pick<NeuronMetrics, 'alertMessages'>
  /** What only this role knows. */
  readonly conditions: readonly Condition[]
}

/** Starts the alerts of a node: those of its role, and those of its machine, chain connection and updates. */
export function startNeuronAlerts({
  role,
  settings,
  deps,
  metrics,
  conditions,
}: NeuronAlertParts): Promise<Alerts> {
  const { clock, log, stateDir, droppedLines = () => 0, updates, subtensor, signer } = deps
  const url = settings['alert.webhook']
  return startAlerts({
    ...{ clock, log },
    conditions: [
      ...conditions,
      ...chainConditions(clock, subtensor),
      ...machineConditions({ clock, stateDir, droppedLines }),
      ...(updates ? updateConditions(updates) : []),
    ],
    source: {
      role,
      name: settings['neuron.name'] ?? role,
      netuid: settings.netuid,
      hotkey: signer.address,
      version: packageVersion(),
    },
    receiver:
      url === undefined
        ? undefined
        : { url, secret: settings['alert.secret'], format: settings['alert.format'] },
    file: join(stateDir, 'alerts.json'),
    repeatMs: settings['alert.repeat'] * 1000,
    onAttempt: (result) => metrics.alertMessages.inc({ result }),
  })
}
