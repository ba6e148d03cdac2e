import { describe, expect, it } from 'vitest'
import { DEFAULT_FLOORS, DIALECTS, noiseLevels, observe } from '../../src/evidence/index.js'
import { createSimulator, type Server } from '../support/evidence-simulation/index.js'

const LEVELS = noiseLevels(undefined, DEFAULT_FLOORS)

function observed(server: Server, known: (typeof DIALECTS)[number] | undefined, tokens = 120, seed = 5) {
  const answer = createSimulator(seed).answer({ server, temperature: 0.8, tokens })
  return observe(answer, LEVELS, known)
}

describe('the dialect of an answer', () => {
  it.each(DIALECTS)('is found without being known: %s', (dialect) => {
    expect(observed({ noise: 0.03, dialect }, undefined)).toMatchObject({ synchrony: 'yes', dialect })
  })

  it('is still found when the model is heavily quantised', () => {
    const { synchrony, statistics } = observed({ noise: 0.7, dialect: 'murmur3' }, 'murmur3')
    expect(synchrony).toBe('yes')
    expect(Math.max(...(statistics.seeded?.enforced ?? []))).toBeGreaterThan(2)
  })

  it('changes when the miner changes its server', () => {
    expect(observed({ noise: 0.03, dialect: 'philox-64' }, 'murmur3')).toMatchObject({
      ...{ synchrony: 'yes', dialect: 'philox-64' },
    })
  })

  it('is none when the server follows no seed, which gives no evidence from S', () => {
    for (const known of [undefined, 'murmur3' as const]) {
      const { synchrony, statistics } = observed({ noise: 0.03 }, known)
      expect(synchrony).toBe('no')
      expect(statistics.seeded).toBeUndefined()
    }
  })

  it('is none when another model follows no seed, however sure the reference is of other tokens', () => {
    const server = { noise: 0.03, unrelated: 0.9 }
    for (let seed = 1; seed <= 30; seed++) {
      const answer = createSimulator(seed).answer({ server, temperature: 0.2, tokens: 60 })
      expect(observe(answer, LEVELS, undefined).synchrony).not.toBe('yes')
    }
  })

  it('cannot be told from a few tokens, which never count against the miner', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { synchrony, statistics } = observed({ noise: 0.03 }, 'murmur3', 4, seed)
      if (synchrony !== 'unknown') continue
      expect(Math.max(...(statistics.seeded?.enforced ?? []))).toBeLessThanOrEqual(0)
    }
    expect(observed({ noise: 0.03, dialect: 'murmur3' }, undefined, 2).synchrony).toBe('unknown')
  })
})
