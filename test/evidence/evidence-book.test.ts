import { describe, expect, it } from 'vitest'
import {
  alarmThreshold,
  DEFAULT_FLOORS,
  describeEstimate,
  EVIDENCE_TUNING,
  EvidenceBook,
  evidenceBookData,
  honestBands,
  type Observation,
  STATISTICS,
} from '../../src/evidence/index.js'

const RULES = { threshold: alarmThreshold(1e-2, 1000), cleanAnswers: 20 }
const PAIR = ['hotkey', 'model'] as const

/** An answer that multiplies the evidence of R by e^logFactor for every bet. */
function answer(logFactor: number, suspicion = logFactor): Observation {
  return {
    tokens: 100,
    synchrony: 'inapplicable',
    statistics: {
      residual: {
        tokens: 80,
        suspicion: [suspicion, suspicion, suspicion],
        enforced: [logFactor, logFactor, logFactor],
        sums: [8, 1.6],
      },
    },
  }
}

function recorded(factors: readonly number[], book = new EvidenceBook(RULES)) {
  const changes = factors.map((factor, index) => book.record(...PAIR, answer(factor), index))
  return { book, changes }
}

describe('EvidenceBook', () => {
  it('keeps a pair clean while its answers fit', () => {
    const { book } = recorded(new Array(200).fill(-1))
    const standing = book.standing(...PAIR)
    expect(standing).toMatchObject({ level: 'clean', answers: 200, tokens: 20_000, since: 0 })
    expect(standing.enforced).toBeLessThan(1)
    expect(standing.sentence).toContain('The answers fit the model')
  })

  it('bars a pair when the evidence reaches the threshold, and names the statistic', () => {
    const { book, changes } = recorded([3, 3, 3, 3, 3])
    const alarms = changes.flatMap(({ alarm }) => alarm ?? [])
    expect(alarms).toHaveLength(1)
    expect(alarms[0]).toMatchObject({ statistic: 'residual', relapses: 0 })
    expect(alarms[0]?.wealth).toBeGreaterThanOrEqual(5)
    const { level, sentence, enforced } = book.standing(...PAIR)
    expect(level).toBe('barred')
    expect(sentence).toContain('stated log probabilities are off by 0.100 nats on average, e.g. FP8')
    // The detectors start again after the alarm.
    expect(enforced).toBeLessThan(5)
    expect(book.isBarred(...PAIR)).toBe(true)
    expect(book.isBarred('hotkey', 'other')).toBe(false)
  })

  it('explains a suspicion by the statistic that suspects, whichever has more evidence at the other level', () => {
    const book = new EvidenceBook(RULES)
    const suspicious = answer(-1, 3)
    const surprise = { tokens: 80, suspicion: [0, 0, 0], enforced: [0, 0, 0], sums: [0.8] }
    for (let index = 0; index < 8; index++)
      book.record(...PAIR, { ...suspicious, statistics: { ...suspicious.statistics, surprise } }, index)
    const { level, leading, sentence } = book.standing(...PAIR)
    expect({ level, leading }).toEqual({ level: 'suspected', leading: 'residual' })
    expect(sentence).toContain('stated log probabilities are off by 0.100 nats on average')
  })

  it('one answer never suffices, whatever it shows', () => {
    const { book } = recorded([Math.log(EVIDENCE_TUNING.answerCap.value)])
    expect(book.standing(...PAIR).level).toBe('clean')
  })

  it('notices a miner that turns bad after a long time', () => {
    const { changes } = recorded([...new Array(1000).fill(-2), 3, 3, 3, 3, 3, 3])
    expect(changes.some(({ alarm }) => alarm)).toBe(true)
  })

  it('only suspects what exceeds the calibration alone', () => {
    const book = new EvidenceBook(RULES)
    for (let index = 0; index < 10; index++) book.record(...PAIR, answer(-1, 3), index)
    expect(book.standing(...PAIR).level).toBe('suspected')
    for (let index = 0; index < 300; index++) book.record(...PAIR, answer(-1, -1), index)
    expect(book.standing(...PAIR).level).toBe('clean')
  })

  it('frees a barred pair after enough clean answers, and starts over when it is bad again', () => {
    const { book } = recorded([4, 4, 4, 4])
    expect(book.standing(...PAIR).level).toBe('barred')
    const later = recorded([...new Array(15).fill(-1), 4, 4, 4, 4], book).changes
    expect(later.some(({ isRelapse }) => isRelapse)).toBe(true)
    expect(later.some(({ alarm }) => alarm)).toBe(false)
    const short: Observation = { tokens: 3, synchrony: 'inapplicable', statistics: {} }
    for (let index = 0; index < 50; index++) book.record(...PAIR, short, index)
    expect(book.standing(...PAIR).bar?.clean).toBeLessThan(4)
    const { changes } = recorded(new Array(20).fill(-1), book)
    expect(changes.map(({ after }) => after)).toContain('clean')
    expect(book.standing(...PAIR).bar).toBeUndefined()
  })

  it('survives a restart with everything it knew', () => {
    const { book } = recorded([2, 2, -1])
    book.record('other', 'model', { ...answer(4), synchrony: 'yes', dialect: 'murmur3' }, 9)
    book.setEndings('other', 'model', 123.5, 9)
    const data = evidenceBookData.parse(JSON.parse(JSON.stringify(book.toData())))
    const restored = EvidenceBook.from(data, RULES)
    expect(restored.standing(...PAIR)).toEqual(book.standing(...PAIR))
    expect(restored.dialectOf('other', 'model')).toBe('murmur3')
    expect(restored.endingsOf('other', 'model')).toBe(123.5)
    expect(restored.toData()).toEqual(book.toData())
    restored.keepOnly(new Set(['hotkey']))
    expect(restored.modelsOf('hotkey')).toEqual(['model'])
    expect(restored.modelsOf('other')).toEqual([])
  })

  it('names the models of a miner, all or those of one level', () => {
    const { book } = recorded([2, 2, 2, 2, 2, 2, 2, 2])
    book.record('hotkey', 'fits', answer(-1), 9)
    book.record('other', 'model', answer(-1), 9)
    expect(book.modelsOf('hotkey')).toEqual(['model', 'fits'])
    expect(book.modelsOf('hotkey', 'barred')).toEqual(['model'])
    expect(book.modelsOf('other', 'barred')).toEqual([])
    expect([...book.levels()].sort()).toEqual(['barred', 'clean', 'clean'])
  })

  it('remembers the dialect a server follows, and counts what follows none', () => {
    const book = new EvidenceBook(RULES)
    const seeded = (synchrony: 'yes' | 'no' | 'unknown'): Observation => ({ ...answer(0), synchrony })
    expect(book.record(...PAIR, { ...seeded('yes'), dialect: 'murmur3' }, 0).dialect).toEqual({
      from: undefined,
      to: 'murmur3',
    })
    expect(book.record(...PAIR, { ...seeded('yes'), dialect: 'philox-64' }, 0).dialect?.from).toBe('murmur3')
    book.record(...PAIR, seeded('no'), 0)
    book.record(...PAIR, { ...seeded('unknown'), dialect: 'philox-64' }, 0)
    expect(book.standing(...PAIR)).toMatchObject({
      ...{ synchronised: 2, unsynchronised: 1, unknown: 1, dialect: 'philox-64' },
    })
  })
})

describe('alarmThreshold', () => {
  it('grows with the answers of a month and the strictness of the budget', () => {
    expect(alarmThreshold(1e-6, 10_000)).toBeCloseTo(1e10, -2)
    expect(alarmThreshold(0, 0)).toBeLessThan(Number.POSITIVE_INFINITY)
  })
})

describe('estimates', () => {
  it('have an honest band and words for every statistic', () => {
    const bands = honestBands(DEFAULT_FLOORS)
    for (const statistic of STATISTICS) {
      const { low, high } = bands[statistic]
      expect(low).toBeLessThan(high)
      expect(describeEstimate(statistic, { value: high, low, high })).toMatch(/^(tokens|stated)/)
    }
    expect(describeEstimate('seeded', { value: 0.3, low: 0.2, high: 0.4 })).toContain('4-bit weights')
  })
})
