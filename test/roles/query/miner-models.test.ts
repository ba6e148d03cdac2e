import { expect, it } from 'vitest'
import { chooseModel, describeSilent, type ListedMiner } from '../../../src/roles/query/miner-models.js'

function listed(uid: number, answer: Partial<ListedMiner>): ListedMiner {
  return { uid, hotkey: `5Hot${uid}`, url: `http://203.0.113.${uid}:8091`, models: [], ...answer }
}

const refused = { fault: 'answered 401: Stake below minimum: 5', status: 401 }
const down = { fault: 'connect ECONNREFUSED' }

it('chooses the model that most miners serve, or the requested one', () => {
  const miners = [listed(1, { models: ['a', 'b'] }), listed(2, { models: ['b'] }), listed(3, refused)]
  expect(chooseModel(miners, undefined)).toMatchObject({ model: 'b', serving: [{ uid: 1 }, { uid: 2 }] })
  expect(chooseModel(miners, 'a')).toMatchObject({ model: 'a', serving: [{ uid: 1 }] })
})

it.each([
  [
    'one miner that refuses',
    [listed(3, refused)],
    'The miner with uid 3 at http://203.0.113.3:8091 did not list its models: answered 401: Stake below minimum: 5.',
    /most miners require stake/,
  ],
  [
    'all refuse alike',
    [listed(1, refused), listed(2, refused)],
    'None of the 2 miners listed its models: answered 401: Stake below minimum: 5 (2 miners).',
    /most miners require stake/,
  ],
  [
    'all fail for different reasons',
    [listed(1, down), listed(2, refused), listed(3, refused)],
    'None of the 3 miners listed its models: answered 401: Stake below minimum: 5 (2 miners); connect ECONNREFUSED (1 miner).',
    /Query another miner/,
  ],
])('shows a refusal as what it is: %s', (_, miners, message, next) => {
  expect(() => chooseModel(miners, undefined)).toThrow(
    expect.objectContaining({ code: 'MINER_ANSWER', message, next: expect.stringMatching(next) }),
  )
})

it('counts the miners that listed their models, and tells why others did not', () => {
  const miners = [listed(1, { models: ['a'] }), listed(2, {}), listed(3, refused)]
  expect(() => chooseModel(miners, 'b')).toThrow(
    expect.objectContaining({
      code: 'MODEL_NOT_SERVED',
      message:
        'None of the 2 miners that listed their models serves the model b. Some miners did not list their models: answered 401: Stake below minimum: 5 (1 miner).',
    }),
  )
  expect(() => chooseModel([], 'b')).toThrow(/^No miner can be queried/)
})

it('tells nothing when all miners listed their models', () => {
  expect(describeSilent([listed(1, { models: ['a'] })])).toBeUndefined()
})
