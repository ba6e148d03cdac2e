import { DEVELOPMENT_MODELS } from '../language/index.js'
import type { Behaviour } from './behaviour.js'
import { inventLogprobs, padWithEmptyText } from './dishonest-tokens.js'

const CATALOGUE = {
  honest: { summary: 'answers truly' },
  'other-model': {
    summary: 'answers with another model under the claimed name',
    chooseModel: (claimed) => DEVELOPMENT_MODELS.find((name) => name !== claimed) ?? claimed,
  },
  'made-up-logprobs': { summary: 'real text, invented logprobs', changeSteps: inventLogprobs },
  'empty-padding': {
    summary: 'a few real tokens, then tokens without text up to max_tokens',
    changeSteps: padWithEmptyText,
  },
  'generate-first': {
    summary: 'generates the whole answer first, then sends it in a burst',
    delivery: 'burst',
  },
} as const satisfies Record<string, Behaviour>

export type BehaviourName = keyof typeof CATALOGUE

/** Every behaviour an engine can have: `honest` and the cheats. */
export const BEHAVIOURS = Object.keys(CATALOGUE) as readonly BehaviourName[]

export function behaviourOf(name: BehaviourName): Behaviour {
  return CATALOGUE[name]
}
