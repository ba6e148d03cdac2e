import { isDeepStrictEqual } from 'node:util'
import type { NoiseLevels } from '../../../evidence/index.js'
import { grantsMore } from './levels.js'

/** The levels at which the answers to each model were weighed last. */
export class WeighedLevels {
  readonly #levels: Map<string, NoiseLevels>

  constructor(stored: readonly (readonly [model: string, levels: NoiseLevels])[]) {
    this.#levels = new Map(stored)
  }

  /** Notes the levels at which an answer is weighed. @returns how they differ from those before */
  note(model: string, levels: NoiseLevels): 'none' | 'other' | 'grants more' {
    const before = this.#levels.get(model)
    this.#levels.set(model, levels)
    if (before && grantsMore(before, levels)) return 'grants more'
    return isDeepStrictEqual(before, levels) ? 'none' : 'other'
  }

  /** Forgets the levels of other models. @returns whether there were any */
  keepOnly(models: ReadonlySet<string>): boolean {
    const others = [...this.#levels.keys()].filter((model) => !models.has(model))
    for (const model of others) this.#levels.delete(model)
    return others.length > 0
  }

  toStored(): [string, NoiseLevels][] {
    return [...this.#levels]
  }
}
