import type { Condition } from '../../../alerts/index.js'
import type { Evidence } from '../evidence/index.js'
import { engineStates, type ValidatorContext } from '../subnet/index.js'

export interface StandingParts {
  readonly evidence: Pick<Evidence, 'standings'>
  /** Why scores are not saved; undefined when they are. */
  readonly scoresTrouble: () => string | undefined
}

type Known = Pick<ValidatorContext, 'view' | 'settings' | 'signer' | 'engines' | 'explainEngine'>

/** An engine that restarts is back within minutes. */
const ENGINE_MS = 300_000

/** Whether this validator may and can work: registration, permit, engines, score file; and which miners evidence accuses. */
export function standingConditions(context: Known, parts: StandingParts): Condition[] {
  return [
    registrationCondition(context),
    permitCondition(context),
    ...engineConditions(context),
    scoresCondition(parts),
    evidenceCondition(context, parts),
  ]
}

function registrationCondition({ view, signer, settings }: Known): Condition {
  return {
    ...{ id: 'deregistered', severity: 'critical', forMs: 0 },
    look: () => {
      if (view.metagraph.find(signer.address)) return []
      return [
        {
          sentence: `Hotkey ${signer.address} is no longer registered on subnet ${settings.netuid}.`,
          next: `Register it again: btcli subnets register --netuid ${settings.netuid}.`,
        },
      ]
    },
  }
}

function permitCondition({ view, signer, settings }: Known): Condition {
  return {
    ...{ id: 'permit-lost', severity: 'critical', forMs: 0 },
    look: () => {
      const self = view.metagraph.find(signer.address)
      if (!self || self.validatorPermit || settings['is-testnet']) return []
      return [
        {
          sentence: `Hotkey ${signer.address} has no validator permit any more, with a stake of ${Math.round(self.stakeTao)} TAO.`,
          next: 'Add stake until the subnet grants a permit.',
        },
      ]
    },
  }
}

function engineConditions(context: Known): Condition[] {
  const states = () => engineStates(context)
  const missing = () => states().flatMap((state) => (state.isReady ? [] : [state]))
  return [
    {
      ...{ id: 'no-engine', severity: 'critical', forMs: ENGINE_MS },
      look: () => {
        const [first] = missing()
        if (!first || states().some(({ isReady }) => isReady)) return []
        return [
          {
            sentence: `No reference engine is ready, so no answer can be verified; ${first.model}: ${first.reason}.`,
            next: first.next ?? 'Check the engines and the event engine-down in the log.',
          },
        ]
      },
    },
    {
      ...{ id: 'engine-not-ready', severity: 'warning', forMs: ENGINE_MS },
      look: () => {
        if (!states().some(({ isReady }) => isReady)) return []
        return missing().map(({ model, reason, next }) => ({
          subject: model,
          sentence: `The reference engine of ${model} is not ready: ${reason}.`,
          ...(next === undefined ? {} : { next }),
        }))
      },
    },
  ]
}

function scoresCondition({ scoresTrouble }: StandingParts): Condition {
  return {
    ...{ id: 'scores-not-saved', severity: 'critical', forMs: 0 },
    look: () => {
      const reason = scoresTrouble()
      if (reason === undefined) return []
      return [
        {
          sentence: `The ${reason}.`,
          next: 'Check the disk of the state folder; a restart would lose the scores since the last save.',
        },
      ]
    },
  }
}

function evidenceCondition({ view }: Known, { evidence }: StandingParts): Condition {
  return {
    ...{ id: 'evidence-alarm', severity: 'warning', forMs: 0 },
    look: () =>
      view.miners.flatMap(({ uid, hotkey }) =>
        evidence.standings(hotkey, 'barred').map(({ model, standing, isEnforced }) => ({
          subject: `uid ${uid}, ${model}`,
          sentence: `Evidence accuses miner ${uid} of answers that do not fit ${model}${isEnforced ? ', and scores it 0 for this model' : ''}. ${standing.sentence}`,
          next: `Run targon validator report, or targon validator evidence export, to see the answers behind it.`,
        })),
      ),
  }
}
