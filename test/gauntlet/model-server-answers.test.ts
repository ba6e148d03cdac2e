import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findDisagreement } from '../support/answer-verdicts.js'
import { mutatedAnswer } from '../support/mutated-answers.js'
import { scaled } from './scale.js'

describe('answers of a model server', () => {
  it('are read as llhttp reads them, whatever is wrong with them', () => {
    const seed = Math.trunc(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    fc.assert(
      fc.property(mutatedAnswer, (answer) => {
        expect(findDisagreement(answer), JSON.stringify(answer.wire.toString('latin1'))).toBeUndefined()
      }),
      { numRuns: scaled(100_000), seed },
    )
  })
})
