import type { MortalEra } from '../runtime/index.js'

export interface Lifetime {
  /** Block whose hash the signature covers. */
  readonly birthBlock: number
  /** First block in which the extrinsic is no longer valid; undefined for immortal ones. */
  readonly deathBlock: number | undefined
}

/** Undefined for an era that no encoder makes. */
export function lifetimeOf(era: MortalEra, currentBlock: number): Lifetime | undefined {
  if (era.type === 'Immortal') return { birthBlock: 0, deathBlock: undefined }
  const encoded = Number(era.type.slice('Mortal'.length)) | (era.value << 8)
  const period = 2 << (encoded & 15)
  const phase = (encoded >> 4) * Math.max(period >> 12, 1)
  if (period < 4 || phase >= period) return undefined
  const birthBlock = Math.floor((Math.max(currentBlock, phase) - phase) / period) * period + phase
  return { birthBlock, deathBlock: birthBlock + period }
}
