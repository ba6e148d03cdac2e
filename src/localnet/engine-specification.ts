import { TargonError } from '../kernel/index.js'
import { BEHAVIOURS, type BehaviourName, DEVELOPMENT_MODELS } from './engine/index.js'

/** A development engine as `--engine.serve` writes it: `behaviour[@tokens-per-second]=model[,model]`. */
export interface EngineSpecification {
  readonly behaviour: BehaviourName
  /** Undefined is as fast as the machine goes. */
  readonly tokensPerSecond: number | undefined
  readonly models: readonly string[]
}

/** @throws TargonError ENGINE_SPECIFICATION naming what cannot be read. */
export function parseEngineSpecification(text: string): EngineSpecification {
  const match = /^([\w-]+)(?:@(\d+(?:\.\d+)?))?=(.+)$/.exec(text)
  const behaviour = BEHAVIOURS.find((name) => name === match?.[1])
  if (!match || !behaviour) {
    throw new TargonError(`The engine ${JSON.stringify(text)} cannot be read.`, {
      code: 'ENGINE_SPECIFICATION',
      fault: 'usage',
      next: `Write behaviour[@tokens-per-second]=model[,model]; behaviours: ${BEHAVIOURS.join(', ')}; models such as ${DEVELOPMENT_MODELS.join(', ')}.`,
    })
  }
  const [, , speed, models = ''] = match
  return {
    behaviour,
    tokensPerSecond: speed === undefined ? undefined : Number(speed),
    models: models.split(',').map((model) => model.trim()),
  }
}
