import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findDisagreement } from '../support/answer-verdicts.js'
import { mutatedAnswer } from '../support/mutated-answers.js'
import { scaled } from './scale.js'
import { GAUNTLET_SEED } from './seed.js'
import { startTally } from './tally.js'

describe('answers of a model server', () => {
  it('are read as llhttp reads them, whatever is wrong with them', ({ task }) => {
    const tally = startTally(task, {
      ...{ fault: 'F37', kind: 'mutated answers of a model server', full: 100_000, isDrawn: true },
    })
    fc.assert(
      fc.property(mutatedAnswer, (answer) => {
        expect(findDisagreement(answer), JSON.stringify(answer.wire.toString('latin1'))).toBeUndefined()
        tally.count++
      }),
      { numRuns: scaled(tally.full), seed: GAUNTLET_SEED },
    )
  })
})
