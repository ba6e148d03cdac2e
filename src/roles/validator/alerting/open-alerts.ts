import type { Alerts } from '../../../alerts/index.js'
import { startNeuronAlerts } from '../../neuron-alerts.js'
import type { ValidatorContext } from '../subnet/index.js'
import { type StandingParts, standingConditions } from './standing-conditions.js'
import { type VerdictParts, verdictConditions } from './verdict-conditions.js'
import { type WeightsParts, weightsConditions } from './weights-conditions.js'

export type AlertParts = StandingParts & { readonly events: VerdictParts['events'] & WeightsParts['events'] }

/** Watches what a validator should tell its operator; alerts are sent where `alert.webhook` says. */
export function openAlerts(context: ValidatorContext, parts: AlertParts): Promise<Alerts> {
  return startNeuronAlerts({
    ...{ role: 'validator', settings: context.settings, deps: context, metrics: context.metrics },
    conditions: [
      ...weightsConditions(context, parts),
      ...standingConditions(context, parts),
      ...verdictConditions(context, parts),
    ],
  })
}
