import type { Absence, ReferenceEngine } from '../../../engine/index.js'
import type { ValidatorContext } from './context.js'

/** Whether answers of a wanted model can be verified now; otherwise why not, and what the operator can do. */
export type EngineState =
  | { readonly model: string; readonly isReady: true }
  | ({ readonly model: string; readonly isReady: false } & Absence)

/** Knows its model and accepts calls. */
export function isReady({ facts, unreadyReason }: ReferenceEngine): boolean {
  return facts !== undefined && unreadyReason === undefined
}

/** The engines of the wanted models, in their order. */
export function engineStates({
  view,
  engines,
  explainEngine,
}: Pick<ValidatorContext, 'view' | 'engines' | 'explainEngine'>): EngineState[] {
  const current = engines()
  return view.wanted.map((model) => {
    const candidates = current.filter((engine) => engine.model === model)
    if (candidates.some(isReady)) return { model, isReady: true }
    const connected = candidates[0]
    return {
      model,
      isReady: false,
      ...(connected
        ? { reason: connected.unreadyReason ?? 'its facts are not known yet' }
        : explainEngine(model)),
    }
  })
}

/** One clause for each model without a ready engine. */
export function explainMissing(states: readonly EngineState[]): string {
  return states.flatMap((state) => (state.isReady ? [] : [`${state.model}: ${state.reason}`])).join('; ')
}
