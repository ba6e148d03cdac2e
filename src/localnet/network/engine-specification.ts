import { TargonError } from '../../kernel/index.js'
import { BEHAVIOURS, type BehaviourName, DEVELOPMENT_MODELS } from '../engine/index.js'

/** A development engine as `--engine.serve` writes it: `behaviour[@tokens-per-second]=model[,model]`. */
export interface EngineSpecification {
  readonly behaviour: BehaviourName
  /** Undefined: as fast as the machine allows. */
  readonly tokensPerSecond: number | undefined
  readonly models: readonly string[]
}

export function formatEngineSpecification(engine: EngineSpecification): string {
  const speed = engine.tokensPerSecond === undefined ? '' : `@${engine.tokensPerSecond}`
  return `${engine.behaviour}${speed}=${engine.models.join(',')}`
}

/** @throws TargonError ENGINE_SPECIFICATION */
export function parseEngineSpecification(text: string): EngineSpecification {
  const match = /^([\w-]+)(?:@(\d+(?:\.\d+)?))?=(.+)$/.exec(text)
  const behaviour = BEHAVIOURS.find((name) => name === match?.[1])
  if (!match || !behaviour) {
    throw new TargonError(`${JSON.stringify(text)} is not a valid engine specification.`, {
      code: 'ENGINE_SPECIFICATION',
      fault: 'usage',
      next: `Use behaviour[@tokens-per-second]=model[,model]. Behaviours: ${BEHAVIOURS.join(', ')}. Models: for example ${DEVELOPMENT_MODELS.join(', ')}.`,
    })
  }
  const [, , speed, models = ''] = match
  return {
    behaviour,
    tokensPerSecond: speed === undefined ? undefined : Number(speed),
    models: models.split(',').map((model) => model.trim()),
  }
}
